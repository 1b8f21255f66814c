import assert from "node:assert/strict";
import { test } from "node:test";
import { createVerifier, UsageError, VerificationError } from "countersign";
import { AUDIENCE, claimsWith, ISSUER, keySet, list, listKey, NOW, placeOf, token, tokenKey } from "../issuing.js";

const given = { issuer: ISSUER, audience: AUDIENCE, keys: keySet(), revocations: null, now: () => NOW };

test("claims are frozen throughout, so that who is given the same ones again can have changed nothing", async () => {
  const verifier = await createVerifier(given);
  const text = token({ tenant: { of: ["a", { b: 1 }] } });
  const claims = verifier.verify(text);
  assert.equal(verifier.verify(`${text}`), claims);
  for (const part of [claims, claims.tenant, claims.tenant.of, claims.tenant.of[1]]) assert.ok(Object.isFrozen(part));
});

test("without a cache claims are the caller's own: frozen, and other objects each time", async () => {
  const verifier = await createVerifier({ ...given, cache: false });
  const text = token({ roles: ["admin"], tenant: { name: "a" } });
  const [first, second] = [verifier.verify(text), verifier.verify(text)];
  assert.deepEqual(first, claimsWith({ roles: ["admin"], tenant: { name: "a" } }));
  assert.notEqual(first, second);
  assert.notEqual(first.roles, second.roles);
  for (const part of [first, first.roles, first.tenant]) assert.ok(Object.isFrozen(part));
});

test("a claim called __proto__ is a member and changes no prototype", async () => {
  const verifier = await createVerifier(given);
  const claims = verifier.verify(token(JSON.stringify(claimsWith()).replace(/}$/, ',"__proto__":{"admin":true}}')));
  assert.equal(Object.getPrototypeOf(claims), Object.prototype);
  assert.equal(claims.admin, undefined);
  assert.deepEqual(Object.getOwnPropertyDescriptor(claims, "__proto__").value, { admin: true });
});

test("a refusal names code, claim and reason, and nothing of the token", async () => {
  const verifier = await createVerifier(given);
  assert.throws(() => verifier.verify(token({ sub: "secret-subject", aud: "secret-audience" })), (error) => {
    assert.ok(error instanceof VerificationError && error instanceof Error);
    assert.deepEqual([error.name, error.code, error.claim, error.reason], ["VerificationError", "ERR_JWT_CLAIM_VALIDATION_FAILED", "aud", "check_failed"]);
    assert.doesNotMatch(`${error.message}${JSON.stringify(error)}`, /secret|eyJ/);
    return true;
  });
});

test("a token that is no string is the caller's mistake, any string is the token's", async () => {
  const verifier = await createVerifier(given);
  for (const value of [undefined, null, 7, {}, [], new String(token()), Symbol("token"), 1n]) {
    assert.throws(() => verifier.verify(value), UsageError);
  }
  for (const value of ["", ".", "..", "...", "\0", "\ud800", "a".repeat(1 << 20), "undefined"]) {
    assert.throws(() => verifier.verify(value), { name: "VerificationError", code: "ERR_JWS_INVALID" });
  }
});

test("scope is asked for by the verifier and by one verification, both together", async () => {
  const verifier = await createVerifier({ ...given, scope: "read" });
  assert.ok(verifier.verify(token({ scope: "write read" }), { scope: "write" }));
  for (const [scope, asked] of [["read", "write"], ["write", "write"], ["reader writer", "write"], [undefined, undefined]]) {
    assert.throws(() => verifier.verify(token({ scope }), { scope: asked }), { claim: "scope", reason: "check_failed" });
  }
});

test("the time of one verification takes the place of the verifier's", async () => {
  const verifier = await createVerifier({ ...given, leeway: 0 });
  const text = token({ exp: NOW + 900 });
  assert.ok(verifier.verify(text, { now: NOW + 899.999 }));
  assert.throws(() => verifier.verify(text, { now: NOW + 900 }), { code: "ERR_JWT_EXPIRED" });
});

test("audiences are alternatives", async () => {
  const verifier = await createVerifier({ ...given, audience: ["a", "b"] });
  assert.ok(verifier.verify(token({ aud: "b" })) && verifier.verify(token({ aud: ["x", "a"] })));
  assert.throws(() => verifier.verify(token({ aud: ["x"] })), { claim: "aud" });
});

test("null accepts any issuer and audience, on purpose", async () => {
  const verifier = await createVerifier({ ...given, issuer: null, audience: null });
  assert.ok(verifier.verify(token({ iss: "else", aud: "else", jti: "free", sid: undefined })));
});

test("with revocations a token needs a place in the list", async () => {
  const verifier = await createVerifier({ ...given, revocations: list() });
  assert.throws(() => verifier.verify(token({ jti: "free" })), { code: "ERR_STATUS_MISSING" });
});

test("a list that is too old for this verifier says nothing", async () => {
  const verifier = await createVerifier({ ...given, revocations: list(), maxStaleness: 10 });
  assert.ok(verifier.verify(token(), { now: NOW + 10 }));
  assert.throws(() => verifier.verify(token(), { now: NOW + 11 }), { code: "ERR_STATUS_STALE", reason: "too_old" });
});

test("the status tells of list and keys", async () => {
  const revocations = list({ revoked: { 5: [1, 2, 3] }, seq: 42 });
  const verifier = await createVerifier({ ...given, revocations });
  const keys = [tokenKey.kid, listKey.kid];
  const idle = { transport: "none", lastContact: null, lastError: null, storeError: null, keys };
  const times = { issuedAt: NOW, expiresAt: NOW + 300, usableUntil: NOW + 300, age: 0, stale: false };
  assert.deepEqual(verifier.status, { seq: 42, ...times, bytes: revocations.length, entries: 3, rules: 0, ...idle });
  const without = await createVerifier(given);
  const nothing = { seq: null, issuedAt: null, expiresAt: null, usableUntil: null, age: null, bytes: null, entries: null, rules: null };
  assert.deepEqual(without.status, { ...nothing, stale: false, ...idle });
});

test("verifiers are independent of each other and of what they were made from", async () => {
  const revocations = list({ revoked: placeOf(token()) });
  const audience = [AUDIENCE];
  const [strict, lax] = await Promise.all([createVerifier({ ...given, audience, revocations }), createVerifier(given)]);
  revocations.fill(0);
  audience[0] = "else";
  assert.throws(() => strict.verify(token()), { code: "ERR_TOKEN_REVOKED" });
  lax.close();
  assert.throws(() => strict.verify(token()), { code: "ERR_TOKEN_REVOKED" });
});

test("a closed verifier judges nothing", async () => {
  const verifier = await createVerifier(given);
  verifier.close();
  verifier.close();
  assert.throws(() => verifier.verify(token()), UsageError);
  assert.throws(() => verifier.status, UsageError);
  assert.throws(() => verifier.authenticate(new Request(ISSUER, { headers: { authorization: `Bearer ${token()}` } })), UsageError);
  await assert.rejects(() => verifier.refresh(), UsageError);
});
