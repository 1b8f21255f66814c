import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createVerifier } from "countersign";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { startDaemon } from "../daemon.js";
import { pyjwt } from "./python.js";

/** The same token with another subject, under the old signature. */
function forged(token) {
  const [header, payload, signature] = token.split(".");
  const claims = { ...JSON.parse(Buffer.from(payload, "base64url")), sub: "admin" };
  return [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
}

describe("an issuer that signs as EdDSA", () => {
  let issuer;
  let token;
  before(async () => {
    issuer = await startDaemon();
    ({ access_token: token } = await issuer.mint({ scope: "read write", roles: ["admin"], claims: { tenant: { name: "ä" } } }));
  });
  after(() => issuer.stop());

  test("jose verifies its token through its JWKS URL, and refuses a forged one", async () => {
    const keys = createRemoteJWKSet(new URL(`${issuer.origin}/.well-known/jwks.json`));
    const options = { issuer: issuer.origin, audience: "api", typ: "at+jwt", algorithms: ["EdDSA"], requiredClaims: ["jti", "sid", "client_id"] };
    const { payload, protectedHeader } = await jwtVerify(token, keys, options);
    assert.deepEqual([payload.sub, payload.scope, payload.tenant, protectedHeader.alg], ["user-1", "read write", { name: "ä" }, "EdDSA"]);
    await assert.rejects(jwtVerify(forged(token), keys, options), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
    await assert.rejects(jwtVerify(token, keys, { ...options, audience: "else" }), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: "aud" });
  });

  test("PyJWT verifies its token through its JWKS URL, and refuses a forged one", async () => {
    const given = { jwks: `${issuer.origin}/.well-known/jwks.json`, issuer: issuer.origin, audience: "api" };
    const [genuine, altered] = await pyjwt({ ...given, tokens: [token, forged(token)] });
    assert.deepEqual([genuine.sub, genuine.roles, genuine.tenant], ["user-1", ["admin"], { name: "ä" }]);
    assert.deepEqual(altered, { refused: "InvalidSignatureError" });
    const [misdirected] = await pyjwt({ ...given, audience: "else", tokens: [token] });
    assert.deepEqual(misdirected, { refused: "InvalidAudienceError" });
  });

  test("this package reads the same claims as jose, and refuses the token once it has been revoked", async () => {
    const verifier = await createVerifier({ issuer: issuer.origin, audience: "api" });
    const { access_token: short } = await issuer.mint({ claims: { tenant: 7 } });
    const keys = createRemoteJWKSet(new URL(`${issuer.origin}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(short, keys);
    assert.deepEqual(verifier.verify(short), payload);
    const { seq } = await issuer.revoke(short);
    assert.ok(verifier.verify(short), "not before the list is fetched");
    await verifier.refresh();
    assert.ok(verifier.status.seq >= seq, `${verifier.status.seq} after ${seq}`);
    assert.throws(() => verifier.verify(short), { code: "ERR_TOKEN_REVOKED", reason: "index" });
    assert.equal(verifier.verify(token).sub, "user-1");
  });

  test("a refresh token is no access token, to this package and to jose", async () => {
    const { refresh_token: refresh } = await issuer.mint({});
    const verifier = await createVerifier({ issuer: issuer.origin, audience: null });
    assert.throws(() => verifier.verify(refresh), { claim: "typ" });
    const keys = createRemoteJWKSet(new URL(`${issuer.origin}/.well-known/jwks.json`));
    await assert.rejects(jwtVerify(refresh, keys, { typ: "at+jwt" }), { claim: "typ" });
  });
});

describe("an issuer that signs as Ed25519 (RFC 9864)", () => {
  let issuer;
  let token;
  before(async () => {
    issuer = await startDaemon({ COUNTERSIGN_ALGORITHM: "Ed25519" });
    ({ access_token: token } = await issuer.mint({}));
  });
  after(() => issuer.stop());

  test("jose and this package verify its token", async () => {
    const keys = createRemoteJWKSet(new URL(`${issuer.origin}/.well-known/jwks.json`));
    const { protectedHeader } = await jwtVerify(token, keys, { issuer: issuer.origin, audience: "api", algorithms: ["Ed25519"] });
    assert.equal(protectedHeader.alg, "Ed25519");
    const verifier = await createVerifier({ issuer: issuer.origin, audience: "api" });
    assert.equal(verifier.verify(token).sub, "user-1");
  });

  test("PyJWT does not know the name yet, and refuses", async () => {
    const given = { jwks: `${issuer.origin}/.well-known/jwks.json`, issuer: issuer.origin, audience: "api" };
    const [verdict] = await pyjwt({ ...given, tokens: [token] });
    assert.ok("refused" in verdict, JSON.stringify(verdict));
  });
});
