import assert from "node:assert/strict";
import { test } from "node:test";
import { createVerifier, KeySetError, ListError, UsageError } from "countersign";
import { AUDIENCE, ISSUER, keySet, list, NOW, token, tokenKey } from "../issuing.js";

const given = { issuer: ISSUER, audience: AUDIENCE, keys: keySet(), revocations: null, now: () => NOW };

const wrong = {
  issuer: [undefined, "", 7, {}, [], "https://issuer.example/\ud800"],
  audience: [undefined, "", [], [""], ["a", 7], 7, {}, [, "a"], new Array(1), "\ud800", ["a", "b\udc00"]],
  keys: [null, 7, true, () => {}, Symbol("keys"), circular(), { keys: [1n] }],
  revocations: ["text", 7, {}, [1, 2], true],
  leeway: [-1, 61, 1.5, "5", NaN, Infinity, null, 5n],
  maxStaleness: [-1, 1.5, "5", null, Infinity],
  scope: ["", " ", "a  b", " a", "a ", 'a"b', "a\\b", "é", 7, ["a"], null],
  now: [7, null, "now", {}],
  fetch: [7, null, "fetch", {}],
  timeout: [0, -1, 301, NaN, Infinity, "5", null],
  signal: [7, null, {}, new AbortController()],
  cache: [0, -1, 1.5, 65_537, NaN, Infinity, "5", null, true, {}],
};

for (const [name, values] of Object.entries(wrong)) {
  test(`createVerifier refuses a wrong "${name}" and names it`, async () => {
    for (const value of values) {
      await assert.rejects(createVerifier({ ...given, [name]: value }), (error) => {
        assert.ok(error instanceof UsageError && error instanceof TypeError, `${name} ${String(value)}: ${error}`);
        assert.equal(error.code, "ERR_USAGE");
        assert.match(error.message, new RegExp(`"${name}"`));
        return true;
      });
    }
  });
}

test("createVerifier refuses what is no options object", async () => {
  for (const value of [undefined, null, 7, "options", [], () => {}]) await assert.rejects(createVerifier(value), UsageError);
});

test("unknown options are refused by name, everywhere", async () => {
  await assert.rejects(createVerifier({ ...given, audiences: ["api"] }), { code: "ERR_USAGE", message: /"audiences"/ });
  const verifier = await createVerifier(given);
  const request = new Request(ISSUER);
  assert.throws(() => verifier.verify(token(), { scopes: "a" }), { code: "ERR_USAGE", message: /"scopes"/ });
  assert.throws(() => verifier.verifyMany([], { cache: false }), { code: "ERR_USAGE", message: /verifyMany has no option "cache"/ });
  assert.throws(() => verifier.authenticate(request, { cookies: "a" }), { code: "ERR_USAGE", message: /"cookies"/ });
  await assert.rejects(verifier.refresh({ timeout: 1 }), { code: "ERR_USAGE", message: /"timeout"/ });
});

test("what is not given is not taken from Object.prototype either", async (context) => {
  const verifier = await createVerifier(given);
  const expired = token({ exp: NOW - 1000, iat: NOW - 2000 });
  const request = new Request(ISSUER, { headers: { cookie: `x=${token()}` } });
  context.after(() => ["now", "cookie", "revocations", "ifOlderThan"].forEach((name) => delete Object.prototype[name]));
  Object.assign(Object.prototype, { now: NOW - 1500, cookie: "x", ifOlderThan: 7 });
  for (const options of [undefined, {}]) {
    assert.throws(() => verifier.verify(expired, options), { code: "ERR_JWT_EXPIRED" });
    assert.equal(verifier.verifyMany([expired], options)[0].error.code, "ERR_JWT_EXPIRED");
    assert.equal(verifier.authenticate(request, options).ok, false);
    await assert.rejects(verifier.refresh(options), /nothing to fetch/);
  }
  delete Object.prototype.now;
  Object.prototype.revocations = null;
  const { revocations: _, ...withoutList } = given;
  await assert.rejects(createVerifier({ ...withoutList, fetch: () => Promise.reject(new TypeError("no network")) }), { code: "ERR_FETCH" });
});

test("an issuer of null leaves nothing to fetch from", async () => {
  for (const option of ["keys", "revocations"]) {
    await assert.rejects(createVerifier({ ...given, issuer: null, [option]: undefined }), UsageError);
  }
});

test("an issuer that is fetched from is a URL; one whose documents are given is whatever tokens say", async () => {
  const unusable = ["login.example", "login.example/auth", "//login.example", "https:login.example", "ftp://login.example", "https://", "https://a:99999", "https://a@b", "https://a?b", "https://a#b", "mailto:a"];
  const fetch = () => assert.fail("nothing is to be fetched");
  for (const issuer of unusable) {
    for (const left of [{ keys: undefined }, { revocations: undefined }]) {
      await assert.rejects(createVerifier({ ...given, ...left, issuer, fetch }), { code: "ERR_USAGE", message: /"issuer" must be an http or https URL/ });
    }
  }
  assert.ok((await createVerifier({ ...given, issuer: "login.example" })).verify(token({ iss: "login.example" })));
  const known = async (url) => new Response(url.startsWith("http") ? JSON.stringify(keySet()) : "");
  for (const issuer of ["https://login.example", "http://127.0.0.1:8080", "http://[::1]:8080", "https://login.example/a/b", "https://login.example/@a", "https://login.example/"]) {
    await createVerifier({ ...given, issuer, keys: undefined, fetch: known, follow: false });
  }
});

test("keys come as an object, as JSON, or as bytes of any kind", async () => {
  const json = JSON.stringify(keySet());
  const bytes = new TextEncoder().encode(` ${json}`);
  for (const keys of [keySet(), json, bytes, bytes.subarray(1), bytes.buffer, new DataView(bytes.buffer), Buffer.from(json)]) {
    assert.ok((await createVerifier({ ...given, keys })).verify(token()));
  }
});

test("keys that cannot be used are the key set's fault", async () => {
  const weak = { ...tokenKey.jwk, x: "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
  const cases = [["", "malformed"], ["{}", "malformed"], [{ keys: [] }, "no_token_key"], [{ keys: [weak] }, "weak_key"], [" ".repeat(65537), "too_long"]];
  for (const [keys, reason] of cases) {
    await assert.rejects(createVerifier({ ...given, keys }), (error) => {
      assert.ok(error instanceof KeySetError);
      assert.deepEqual([error.name, error.code, error.reason], ["KeySetError", "ERR_JWKS_INVALID", reason]);
      return true;
    });
  }
});

test("a list that cannot be used is the list's fault", async () => {
  const signedByTokenKey = list({ key: tokenKey });
  const cut = list().subarray(0, -1);
  const cases = [
    [new Uint8Array(), "ERR_REVLIST_INVALID", "head"],
    [new Uint8Array(16 * 1024 * 1024 + 1), "ERR_REVLIST_INVALID", "too_long"],
    [signedByTokenKey, "ERR_REVLIST_INVALID", "signature"],
    [cut, "ERR_REVLIST_INVALID", "body_mismatch"],
    [list({ iss: "https://else.example" }), "ERR_REVLIST_INVALID", "issuer"],
    [list({ iat: NOW + 86_401, exp: NOW + 90_000 }), "ERR_REVLIST_FUTURE", "future"],
  ];
  for (const [revocations, code, reason] of cases) {
    await assert.rejects(createVerifier({ ...given, revocations }), (error) => {
      assert.ok(error instanceof ListError);
      assert.deepEqual([error.name, error.code, error.reason], ["ListError", code, reason]);
      return true;
    });
  }
});

test("a list comes as bytes of any kind", async () => {
  const bytes = list();
  for (const revocations of [bytes, bytes.buffer, new DataView(bytes.buffer), Buffer.from(bytes)]) {
    assert.equal((await createVerifier({ ...given, revocations })).status.seq, 1);
  }
});

test("a clock that gives no time in seconds is the caller's mistake", async () => {
  for (const time of [NaN, -1, Infinity, undefined, "1800000000", NOW * 1000, 1800000000n, new Date()]) {
    const verifier = await createVerifier({ ...given, now: () => time });
    assert.throws(() => verifier.verify(token()), { code: "ERR_USAGE", message: /"now"/ }, String(time));
  }
  const verifier = await createVerifier(given);
  for (const now of [NaN, -1, null, NOW * 1000]) assert.throws(() => verifier.verify(token(), { now }), UsageError);
  const failing = await createVerifier({ ...given, now: () => { throw new RangeError("no clock"); } });
  assert.throws(() => failing.verify(token()), RangeError);
});

test("the default clock is the system's", async () => {
  const { now: _, ...withoutClock } = given;
  const verifier = await createVerifier(withoutClock);
  const exp = Math.floor(Date.now() / 1000) + 60;
  assert.ok(verifier.verify(token({ exp, iat: exp - 120 })));
  assert.throws(() => verifier.verify(token({ exp: exp - 120, iat: exp - 240 })), { code: "ERR_JWT_EXPIRED" });
});

function circular() {
  const keys = {};
  return Object.assign(keys, { keys });
}
