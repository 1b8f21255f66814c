/**
 * A trap leaves a WebAssembly instance in an unknown state. These tests make real ones, by taking all memory from it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createVerifier } from "countersign";
import { initSync, Verifier as Bindings } from "../../../pkg/wasm/verifier.js";
import { AUDIENCE, ISSUER, jws, keyOf, keySet, list, listKey, NOW, placeOf, serve, token, tokenKey } from "../issuing.js";
import { randomness } from "../randomness.js";
import { settled } from "../virtual-time.js";
import { following, verdict } from "./follow.js";

const given = { issuer: ISSUER, audience: AUDIENCE, keys: keySet(), revocations: null, now: () => NOW };

/** The memory of the instance in use. */
function memory() {
  return initSync({}).memory;
}

/** Lets the next call of this binding fail as a trap does. */
function trapsOnce(name) {
  const real = Bindings.prototype[name];
  Bindings.prototype[name] = function () {
    Bindings.prototype[name] = real;
    throw new WebAssembly.RuntimeError("unreachable");
  };
}

test("a trap throws, and the next call is answered by a fresh instance", async () => {
  const revocations = list({ revoked: placeOf(token()) });
  const strict = await createVerifier({ ...given, revocations });
  const lax = await createVerifier(given);
  const before = memory();
  trapsOnce("judge");
  assert.throws(() => strict.verify(token()), WebAssembly.RuntimeError);
  assert.notEqual(memory(), before);
  for (let round = 0; round < 2; round += 1) {
    assert.throws(() => strict.verify(token()), { code: "ERR_TOKEN_REVOKED" });
    assert.equal(lax.verify(token()).sub, "user-1");
  }
  assert.equal(strict.status.seq, 1);
});

test("a trap in the middle of a batch throws, and the next batch is answered by a fresh instance", async () => {
  const verifier = await createVerifier({ ...given, revocations: list({ revoked: placeOf(token()) }) });
  const texts = Array.from({ length: 200 }, (_, at) => token({ jti: `${Math.floor((NOW + 900) / 256)}.${at}` }));
  const verdicts = () => verifier.verifyMany(texts).map(({ error, claims }) => error?.code ?? claims.jti);
  const expected = verdicts();
  const [before, real] = [memory(), Bindings.prototype.judgeMany];
  let calls = 0;
  Bindings.prototype.judgeMany = function (...numbers) {
    if ((calls += 1) === 2) throw new WebAssembly.RuntimeError("unreachable");
    return real.apply(this, numbers);
  };
  try {
    assert.throws(verdicts, WebAssembly.RuntimeError);
    assert.notEqual(memory(), before);
    assert.deepEqual(verdicts(), expected);
  } finally {
    Bindings.prototype.judgeMany = real;
  }
  assert.equal(expected.filter((word) => word === "ERR_TOKEN_REVOKED").length, 1);
});

test("after a trap nothing is remembered: what a slot holds then is another token's", async () => {
  const [clock, exp] = [{ time: NOW }, NOW + 100];
  const verifier = await createVerifier({ ...given, now: () => clock.time });
  const [short, long] = [token({ exp }), token()];
  assert.equal(verifier.verify(short).exp, exp);
  trapsOnce("recheck");
  assert.throws(() => verifier.verify(short), WebAssembly.RuntimeError);
  assert.equal(verifier.verify(long).exp, NOW + 900);
  clock.time = exp + 60;
  assert.throws(() => verifier.verify(short), { code: "ERR_JWT_EXPIRED" });
  assert.equal(verifier.verify(long).exp, NOW + 900);
});

test("an answer that is none is a trap", async () => {
  const verifier = await createVerifier({ ...given, cache: false });
  const real = Bindings.prototype.judge;
  for (const length of [0, 2]) {
    const before = memory();
    Bindings.prototype.judge = () => length;
    assert.throws(() => verifier.verify(token()), SyntaxError);
    Bindings.prototype.judge = real;
    assert.notEqual(memory(), before);
    assert.equal(verifier.verify(token()).sub, "user-1");
  }
});

test("authenticate answers no request after a trap, it throws", async () => {
  const verifier = await createVerifier(given);
  const request = new Request(ISSUER, { headers: { authorization: `Bearer ${token()}` } });
  trapsOnce("judge");
  assert.throws(() => verifier.authenticate(request), WebAssembly.RuntimeError);
  assert.equal(verifier.authenticate(request).ok, true);
});

test("memory that runs out is a trap like any other", async () => {
  const verifier = await createVerifier(given);
  const [exhausted, pages] = [memory(), []];
  for (let step = 32_768; step >= 1; step /= 2) {
    for (;;) {
      try {
        exhausted.grow(step);
        pages.push(step);
      } catch {
        break;
      }
    }
  }
  assert.ok(exhausted.buffer.byteLength > 2 ** 31, "the memory was taken");
  const large = new Uint8Array(16 * 1024 * 1024);
  await assert.rejects(createVerifier({ ...given, revocations: large }), (error) => !("code" in error));
  assert.notEqual(memory(), exhausted);
  assert.equal(verifier.verify(token()).sub, "user-1");
});

test("a trap brings back what was given, not what the caller has made of it since", async () => {
  const [audience, keys, revocations] = [[AUDIENCE], Buffer.from(JSON.stringify(keySet())), list({ revoked: placeOf(token()) })];
  const verifier = await createVerifier({ ...given, audience, keys, revocations });
  audience[0] = "else";
  keys.fill(0);
  revocations.fill(0);
  trapsOnce("judge");
  assert.throws(() => verifier.verify(token()), WebAssembly.RuntimeError);
  assert.throws(() => verifier.verify(token()), { code: "ERR_TOKEN_REVOKED" });
  assert.throws(() => verifier.verify(token({ aud: "else" })), { claim: "aud" });
});

test("a token that is too long never enters the instance", async () => {
  const verifier = await createVerifier(given);
  const before = memory().buffer.byteLength;
  assert.throws(() => verifier.verify("a".repeat(64 * 1024 * 1024)), { code: "ERR_JWS_INVALID", reason: "too_long" });
  assert.equal(memory().buffer.byteLength, before);
});

test("keys and list of the newest refresh survive a trap", async () => {
  const answers = { keys: keySet(), seq: 1 };
  const issuer = await serve({
    "/.well-known/jwks.json": (_, response) => response.end(JSON.stringify(answers.keys)),
    "/revocations": (_, response) => response.end(list({ iss: issuer.url, seq: answers.seq })),
  });
  try {
    const verifier = await createVerifier({ issuer: issuer.url, audience: AUDIENCE, now: () => NOW });
    const next = keyOf(6, "token");
    Object.assign(answers, { keys: keySet(tokenKey, next, listKey), seq: 2 });
    await verifier.refresh();
    trapsOnce("status");
    assert.throws(() => verifier.status, WebAssembly.RuntimeError);
    assert.deepEqual([verifier.status.seq, verifier.status.keys.length], [2, 3]);
    assert.ok(verifier.verify(token({ iss: issuer.url }, {}, next)));
  } finally {
    await issuer.close();
  }
});

test("a list whose key has gone is not trusted again after a trap: tokens are refused as stale", async () => {
  const answers = { keys: keySet() };
  const issuer = await serve({
    "/.well-known/jwks.json": (_, response) => response.end(JSON.stringify(answers.keys)),
    "/revocations": (_, response) => response.end(list({ iss: issuer.url })),
  });
  try {
    const verifier = await createVerifier({ issuer: issuer.url, audience: AUDIENCE, now: () => NOW });
    answers.keys = keySet(tokenKey, keyOf(7, "revocations"));
    await verifier.refresh().catch(() => {}); // its list may have arrived before the keys
    await assert.rejects(verifier.refresh(), { code: "ERR_REVLIST_INVALID" });
    assert.ok(verifier.verify(token({ iss: issuer.url })));
    trapsOnce("recheck");
    assert.throws(() => verifier.verify(token({ iss: issuer.url })), WebAssembly.RuntimeError);
    assert.throws(() => verifier.verify(token({ iss: issuer.url })), { code: "ERR_STATUS_STALE", reason: "absent" });
  } finally {
    await issuer.close();
  }
});

test("a trap in the background ends no process, and following goes on", async (context) => {
  const { time, issuer, verifier } = await following(context);
  trapsOnce("status");
  await time.pass(0);
  assert.equal(verifier.status.transport, "poll");
  await time.pass(2);
  assert.equal(verifier.status.transport, "stream");
  const text = issuer.token();
  issuer.publish(text);
  await settled();
  assert.equal(verdict(verifier, text), "ERR_TOKEN_REVOKED");
});

test("a refusal replaces nothing", async () => {
  const verifier = await createVerifier(given);
  const before = memory();
  for (const text of ["", "a.b.c", "\ud800", token({ exp: 1 }), "a".repeat(8192), "..".repeat(4096)]) {
    assert.throws(() => verifier.verify(text), { name: "VerificationError" });
  }
  assert.equal(memory(), before);
});

test("a trap while the bindings are made anew throws too, and the call after it works", async () => {
  const verifier = await createVerifier({ ...given, revocations: list() });
  trapsOnce("judge");
  assert.throws(() => verifier.verify(token()), WebAssembly.RuntimeError);
  trapsOnce("loadRevocations");
  assert.throws(() => verifier.verify(token()), WebAssembly.RuntimeError);
  assert.equal(verifier.verify(token()).sub, "user-1");
});

test("a clock that fails while the bindings are made anew loses nothing", async () => {
  const clock = { time: NOW };
  const verifier = await createVerifier({ ...given, revocations: list({ seq: 9 }), now: () => clock.time });
  trapsOnce("status");
  assert.throws(() => verifier.status, WebAssembly.RuntimeError);
  clock.time = NaN;
  assert.throws(() => verifier.status, { code: "ERR_USAGE" });
  clock.time = NOW;
  assert.equal(verifier.status.seq, 9);
});

test("no bytes make a trap, whatever they are given as", async (context) => {
  const seed = Number(process.env.SEED ?? 1);
  context.diagnostic(`SEED=${seed}`);
  const random = randomness(seed);
  const before = memory();
  const verifier = await createVerifier({ ...given, revocations: list({ revoked: { 5: [1, 2, 300] } }) });
  const refusals = new Set();
  const outcome = async (act) => {
    try {
      await act();
    } catch (error) {
      assert.match(String(error.code), /^ERR_(?!USAGE)/, `${error.stack}`);
      refusals.add(error.code);
    }
  };
  const [text, keys, revocations] = [token(), new TextEncoder().encode(JSON.stringify(keySet())), list({ revoked: { 5: [1, 300] } })];
  const latin = (bytes) => String.fromCharCode(...bytes);
  for (let round = 0; round < 2000; round += 1) {
    const altered = mutated(Buffer.from(text), random);
    await outcome(() => verifier.verify(round % 2 === 0 ? latin(altered) : altered.toString("utf8")));
    await outcome(() => verifier.verify(jws({ typ: "at+jwt" }, mutated(Buffer.from(text.split(".")[1], "base64url"), random))));
    await outcome(() => createVerifier({ ...given, keys: mutated(keys, random) }).then((made) => made.close()));
    await outcome(() => createVerifier({ ...given, revocations: mutated(revocations, random) }).then((made) => made.close()));
    await outcome(() => createVerifier({ ...given, revocations: list({ body: mutated(revocations.subarray(revocations.indexOf(10) + 1), random) }) }).then((made) => made.close()));
  }
  assert.equal(memory(), before, "the instance was never replaced");
  for (const code of ["ERR_JWS_INVALID", "ERR_JWT_INVALID", "ERR_JWKS_INVALID", "ERR_REVLIST_INVALID", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"]) {
    assert.ok(refusals.has(code), `${code} was never seen`);
  }
});

test("verifying, refusing and closing give back the memory they take", async () => {
  const text = token();
  const use = async (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      const verifier = await createVerifier({ ...given, revocations: list() });
      for (let at = 0; at < 5; at += 1) verifier.verify(text);
      for (const bad of ["", "a.b.c", "a".repeat(8192), `${text}x`]) assert.throws(() => verifier.verify(bad));
      assert.throws(() => verifier.verify(text, { scope: "missing" }));
      assert.equal(verifier.status.seq, 1);
      verifier.close();
    }
  };
  await use(50);
  const before = memory().buffer.byteLength;
  await use(300);
  assert.equal(memory().buffer.byteLength, before);
});

/** A copy with a few bytes changed, put in, taken out, doubled, or the end cut off. */
function mutated(bytes, random) {
  let made = [...bytes];
  const at = () => Math.floor(random() * made.length);
  for (let times = Math.floor(random() * 4) + 1; times > 0; times -= 1) {
    const kind = Math.floor(random() * 5);
    if (kind === 0) made[at()] = Math.floor(random() * 256);
    else if (kind === 1) made.splice(at(), 0, Math.floor(random() * 256));
    else if (kind === 2) made.splice(at(), Math.floor(random() * 8));
    else if (kind === 3) made.splice(at(), 0, ...made.slice(at(), at() + 40));
    else if (random() < 0.2) made = made.slice(0, at());
  }
  return Buffer.from(made.map((byte) => byte ?? 0));
}
