/**
 * A trap leaves a WebAssembly instance in an unknown state. These tests make real ones, by taking all memory from it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createVerifier } from "countersign";
import { initSync, Verifier as Bindings } from "../../../pkg/wasm/verifier.js";
import { AUDIENCE, ISSUER, keyOf, keySet, list, listKey, NOW, placeOf, serve, token, tokenKey } from "../issuing.js";

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
  trapsOnce("verify");
  assert.throws(() => strict.verify(token()), WebAssembly.RuntimeError);
  assert.notEqual(memory(), before);
  for (let round = 0; round < 2; round += 1) {
    assert.throws(() => strict.verify(token()), { code: "ERR_TOKEN_REVOKED" });
    assert.equal(lax.verify(token()).sub, "user-1");
  }
  assert.equal(strict.status.seq, 1);
});

test("authenticate answers no request after a trap, it throws", async () => {
  const verifier = await createVerifier(given);
  const request = new Request(ISSUER, { headers: { authorization: `Bearer ${token()}` } });
  trapsOnce("verify");
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
    await assert.rejects(verifier.refresh(), { code: "ERR_REVLIST_INVALID" });
    assert.ok(verifier.verify(token({ iss: issuer.url })));
    trapsOnce("verify");
    assert.throws(() => verifier.verify(token({ iss: issuer.url })), WebAssembly.RuntimeError);
    assert.throws(() => verifier.verify(token({ iss: issuer.url })), { code: "ERR_STATUS_STALE", reason: "absent" });
  } finally {
    await issuer.close();
  }
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
  trapsOnce("verify");
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
