/** Accepted tokens are remembered. Whatever happens, that changes no verdict: only what it takes to come to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createVerifier } from "countersign";
import { Cache } from "../../../pkg/src/cache.js";
import { Verifier as Bindings } from "../../../pkg/wasm/verifier.js";
import { AUDIENCE, ISSUER, keyOf, keySet, list, listKey, NOW, placeOf, token, tokenKey } from "../issuing.js";
import { Dice } from "../randomness.js";

const given = { issuer: ISSUER, audience: AUDIENCE, keys: keySet(), revocations: null, now: () => NOW };
const otherKey = keyOf(9, "token");
const EXPIRES = [NOW + 100, NOW + 600, NOW + 900, NOW + 5000];
const SCOPES = [undefined, "read", "write", "read write"];

/** Counts how often signatures are judged while `act` runs. */
function judgements(act) {
  const { judge, judgeMany } = Bindings.prototype;
  let count = 0;
  const counting = (real) => function (...numbers) {
    count += 1;
    return real.apply(this, numbers);
  };
  Object.assign(Bindings.prototype, { judge: counting(judge), judgeMany: counting(judgeMany) });
  try {
    act();
  } finally {
    Object.assign(Bindings.prototype, { judge, judgeMany });
  }
  return count;
}

test("a token is judged once, also when it comes as another string; without a cache it is judged each time", async () => {
  const text = token();
  const again = () => Buffer.from(text).toString("latin1");
  const thrice = (verifier) => () => [text, again(), again()].forEach((each) => verifier.verify(each));
  assert.equal(judgements(thrice(await createVerifier(given))), 1);
  assert.equal(judgements(thrice(await createVerifier({ ...given, cache: false }))), 3);
});

test("what was refused is judged again, and a batch neither asks for what is remembered nor adds to it", async () => {
  const verifier = await createVerifier(given);
  const expired = token({ exp: NOW - 100 });
  assert.equal(judgements(() => [expired, expired].forEach((text) => assert.throws(() => verifier.verify(text)))), 2);
  const text = token();
  assert.equal(judgements(() => verifier.verifyMany([text, text])), 1);
  assert.equal(judgements(() => verifier.verify(text)), 1);
  assert.equal(judgements(() => verifier.verifyMany([text, text])), 1);
});

test("a token that has the remembered one's signature is another token", async () => {
  const verifier = await createVerifier(given);
  const [header, , signature] = token().split(".");
  verifier.verify(token());
  const payload = token({ sub: "user-2" }).split(".")[1];
  assert.throws(() => verifier.verify([header, payload, signature].join(".")), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
  assert.throws(() => verifier.verify(signature), { code: "ERR_JWS_INVALID" });
  assert.throws(() => verifier.verify(` ${token()}`), { code: "ERR_JWS_INVALID" });
});

test("what the cache holds is bounded, and what is in use stays", async () => {
  const texts = Array.from({ length: 40 }, (_, at) => token({ jti: `${Math.floor((NOW + 900) / 256)}.${at}` }));
  const verifier = await createVerifier({ ...given, cache: 8 });
  verifier.verify(texts[0]);
  const judged = judgements(() => texts.slice(1).forEach((text) => {
    verifier.verify(text);
    verifier.verify(texts[0]);
  }));
  assert.equal(judged, texts.length - 1);
  assert.equal(judgements(() => verifier.verify(texts[1])), 1);
});

test("slots are given out once at a time, whatever is found and kept", () => {
  for (let size = 1; size <= 9; size += 1) {
    const dice = new Dice(size);
    const cache = new Cache(size);
    const names = Array.from({ length: 3 * size }, (_, at) => `token ${at}`);
    const slots = new Map(); // of each name, when it was kept last
    for (let step = 0; step < 2000; step += 1) {
      const name = dice.oneOf(names);
      const entry = cache.find(name);
      if (entry !== undefined) assert.equal(entry.slot, slots.get(name), "nobody else has its slot");
      if (entry === undefined || dice.below(4) === 0) {
        const slot = cache.vacancy();
        assert.ok(slot >= 0 && slot < size, `${slot} of ${size}`);
        if (dice.below(3) === 0) continue; // refused
        for (const [other, taken] of slots) if (taken === slot) slots.delete(other);
        slots.set(name, slot);
        cache.keep(name, {});
      }
      for (const [other, slot] of slots) if (slots.get(name) === slot && other !== name) assert.fail(`${other} and ${name} share a slot`);
      if (dice.below(200) === 0) {
        cache.clear();
        slots.clear();
      }
    }
  }
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

test("a page full of text that a token was cut out of is not kept with it", async () => {
  const verifier = await createVerifier(given);
  const used = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = used();
  for (let at = 0; at < 64; at += 1) {
    const text = token({ jti: `${Math.floor((NOW + 900) / 256)}.${at}` });
    const page = `${"x".repeat(1024 * 1024)}${at}${text}`;
    verifier.verify(page.slice(page.length - text.length));
  }
  assert.ok(used() - before < 16 * 1024 * 1024);
});

test("nothing of a token stays once the keys have changed, or the verifier is closed", async () => {
  const documents = { keys: keySet(), list: list() };
  const fetch = async (url) => new Response(url.endsWith("jwks.json") ? JSON.stringify(documents.keys) : documents.list);
  const verifier = await createVerifier({ issuer: ISSUER, audience: AUDIENCE, now: () => NOW, fetch, follow: false });
  const claims = () => new WeakRef(verifier.verify(token()));
  const isThere = async (claims) => {
    await new Promise((resolve) => setTimeout(resolve)); // a WeakRef holds on until the turn is over
    collectGarbage();
    return claims.deref() !== undefined;
  };
  const first = claims();
  await verifier.refresh();
  assert.equal(await isThere(first), true, "the same keys");
  documents.keys = keySet(tokenKey, listKey, otherKey);
  await verifier.refresh();
  assert.equal(await isThere(first), false, "other keys");
  const second = claims();
  assert.equal(await isThere(second), true);
  verifier.close();
  assert.equal(await isThere(second), false, "closed");
});

/** An issuer of which each answer can be changed, a clock, and two verifiers of them that differ in the cache alone. */
async function world(dice, size) {
  const state = { seq: 1, revoked: {}, cut: undefined, keys: [tokenKey, otherKey, listKey], time: NOW };
  const fetch = async (url) => new Response(url.endsWith("jwks.json") ? JSON.stringify(keySet(...state.keys)) : signedList());
  const signedList = () => list({ seq: state.seq, revoked: state.revoked, cut: state.cut, iat: NOW + state.seq, exp: NOW + 2000 + 10 * state.seq });
  const options = { issuer: ISSUER, audience: AUDIENCE, now: () => state.time, fetch, follow: false, scope: dice.oneOf([undefined, "read"]) };
  const [cached, plain] = await Promise.all([createVerifier({ ...options, cache: size }), createVerifier({ ...options, cache: false })]);
  return { state, cached, plain };
}

/** Tokens that hold at first, and some that are like them and do not. */
function pool() {
  const texts = [];
  for (const key of [tokenKey, otherKey]) {
    for (const [at, exp] of EXPIRES.entries()) {
      const own = { exp, jti: `${Math.floor(exp / 256)}.${at}`, sub: `user-${at}`, sid: `session-${at}`, scope: SCOPES[1 + (at % 3)] };
      texts.push(token(own, {}, key), token({ ...own, nbf: NOW + 300 }, {}, key));
    }
  }
  const [header, payload, signature] = texts[0].split(".");
  const forged = [header, texts[1].split(".")[1], signature].join(".");
  return [...texts, forged, [header, payload, texts[1].split(".")[2]].join("."), token({ exp: NOW - 50 }), "a.b.c", `${texts[0]} `, `${texts[2]}\u{1f511}`];
}

const ACTS = {
  async list({ state, cached, plain }, dice, texts) {
    state.seq += 1;
    state.revoked = {};
    for (const text of dice.someOf(texts.slice(0, 16))) {
      const [[epoch, [index]]] = Object.entries(placeOf(text));
      (state.revoked[epoch] ??= new Set()).add(index);
    }
    for (const epoch of Object.keys(state.revoked)) state.revoked[epoch] = [...state.revoked[epoch]];
    state.cut = dice.oneOf([undefined, undefined, { sub: { "user-1": NOW + 1 } }, { sid: { "session-2": NOW + 5000 } }, { kid: [otherKey.kid] }]);
    await Promise.allSettled([cached.refresh(), plain.refresh()]);
  },
  async keys({ state, cached, plain }, dice) {
    state.keys = [...dice.someOf([tokenKey, otherKey]), ...dice.oneOf([[tokenKey], [], [otherKey]]), listKey].filter((key, at, all) => all.indexOf(key) === at);
    await Promise.allSettled([cached.refresh(), plain.refresh()]);
  },
  clock({ state }, dice) {
    state.time = NOW + dice.oneOf([0, 1, 99, 104, 105, 294, 295, 604, 605, 904, 905, 2500]);
  },
  trap({ cached }, dice, texts) {
    const name = dice.oneOf(["judge", "recheck", "status"]);
    const real = Bindings.prototype[name];
    Bindings.prototype[name] = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    try {
      if (name === "status") assert.throws(() => cached.status, WebAssembly.RuntimeError);
      else dice.someOf(texts).forEach((text) => outcome(cached, text));
    } finally {
      Bindings.prototype[name] = real;
    }
  },
  batch({ cached, plain }, dice, texts) {
    const some = dice.someOf(texts);
    const told = cached.verifyMany(some).map(({ claims, error }) => claims ?? shown(error));
    assert.deepEqual(told, some.map((text) => outcome(plain, text)));
  },
};

function outcome(verifier, text, options) {
  try {
    return verifier.verify(text, options);
  } catch (error) {
    return shown(error);
  }
}

const shown = ({ code, claim, reason, message }) => [code, claim, reason, message];

test("a cache changes no verdict, whatever happens to list, keys, clock and instance", async (context) => {
  const seed = Number(process.env.SEED ?? 1);
  context.diagnostic(`SEED=${seed}`);
  const seen = new Set();
  for (let round = 0; round < 24; round += 1) {
    const dice = new Dice(seed * 1000 + round);
    const texts = pool();
    const played = await world(dice, 1 + (round % 12));
    for (let step = 0; step < 150; step += 1) {
      const act = dice.oneOf([...Object.keys(ACTS), ...Array(12).fill("verify")]);
      await ACTS[act]?.(played, dice, texts);
      for (let times = 0; times < 3; times += 1) {
        const text = dice.oneOf(texts);
        const options = dice.oneOf([undefined, { scope: dice.oneOf(SCOPES) }, { now: NOW + dice.below(1000) }]);
        const expected = outcome(played.plain, text, options);
        assert.deepEqual(outcome(played.cached, text, options), expected, `round ${round}, step ${step}, ${act}, ${texts.indexOf(text)}`);
        seen.add(Array.isArray(expected) ? expected[0] : "accepted");
      }
    }
    played.cached.close();
    played.plain.close();
  }
  for (const word of ["accepted", "ERR_JWT_EXPIRED", "ERR_TOKEN_REVOKED", "ERR_STATUS_STALE", "ERR_JWKS_NO_MATCHING_KEY", "ERR_JWT_CLAIM_VALIDATION_FAILED", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"]) {
    assert.ok(seen.has(word), `${word} was never seen`);
  }
});

test("events of staleness come from remembered tokens and from batches as from others", async () => {
  for (const ask of [(verifier, text) => verifier.verify(text), (verifier, text) => verifier.verifyMany([text, text])]) {
    const state = { time: NOW };
    const verifier = await createVerifier({ ...given, revocations: list(), now: () => state.time });
    const told = [];
    verifier.addEventListener("stale", ({ detail }) => told.push(detail.seq));
    const text = token();
    verifier.verify(text);
    state.time = NOW + 400;
    try {
      ask(verifier, text);
    } catch ({ code }) {
      assert.equal(code, "ERR_STATUS_STALE");
    }
    assert.deepEqual(told, [1]);
  }
});
