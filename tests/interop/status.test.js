/**
 * Status lists as others read them: @sd-jwt/jwt-status-list reads the JWTs, python-cwt the CWTs, neither of them changed;
 * jose and python-cwt check the signatures. Both must say of every index what this package says of the token.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { getListFromStatusListJWT, getStatusListFromJWT } from "@sd-jwt/jwt-status-list";
import { createVerifier } from "countersign";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { startDaemon } from "../daemon.js";
import { pythonCwt } from "./python.js";

const COUNT = 400;
const LIVES = [300, 900, 1_500, 3_600]; // an epoch is 256 seconds, so these end in different ones

/** Mints pairs whose tokens lie in several epochs. */
function mint(issuer, count) {
  const one = (_, at) => issuer.mint({ sub: `user-${at % 50}`, access_ttl: LIVES[at % LIVES.length] });
  return Promise.all(Array.from({ length: count }, one));
}

/** Returns all status lists there are, from the metadata on, each in both forms. */
async function lists(issuer) {
  const metadata = await (await fetch(`${issuer.origin}/.well-known/oauth-authorization-server`)).json();
  const { status_lists: uris } = await (await fetch(metadata.status_list_aggregation_endpoint)).json();
  return Promise.all(uris.map(async (uri) => {
    const as = async (type) => {
      const response = await fetch(uri, { headers: { accept: type } });
      assert.deepEqual([response.status, response.headers.get("content-type")], [200, type]);
      return Buffer.from(await response.arrayBuffer());
    };
    return { uri, jwt: (await as("application/statuslist+jwt")).toString(), cwt: await as("application/statuslist+cwt") };
  }));
}

/** Returns the revoked indices of each list by its URI, once both libraries have agreed on every index. */
async function read(issuer) {
  const all = await lists(issuer);
  const jwks = `${issuer.origin}/.well-known/jwks.json`;
  const keys = createRemoteJWKSet(new URL(jwks));
  const cwts = await pythonCwt({ jwks, lists: all.map(({ cwt }) => cwt.toString("base64")) });
  const read = new Map();
  for (const [at, { uri, jwt }] of all.entries()) {
    const options = { issuer: issuer.origin, subject: uri, typ: "statuslist+jwt", algorithms: ["EdDSA"], requiredClaims: ["exp", "iat", "ttl"] };
    const { payload } = await jwtVerify(jwt, keys, options);
    const { statusList: statuses } = getListFromStatusListJWT(jwt);
    const revoked = statuses.flatMap((status, index) => (status === 1 ? [index] : []));
    const { iss, sub, iat, exp, ttl, status_list: { aggregation_uri } } = payload;
    assert.deepEqual(cwts[at], { iss, sub, iat, exp, ttl, aggregation_uri, length: statuses.length, revoked });
    read.set(uri, new Set(revoked));
  }
  return read;
}

/** Compares what others read with what this package says of each token, and returns how many are revoked. */
async function compare(issuer, pairs) {
  const verifier = await createVerifier({ issuer: issuer.origin, audience: "api" });
  const others = await read(issuer);
  const ours = new Map([...others.keys()].map((uri) => [uri, new Set()]));
  for (const { access_token: token } of pairs) {
    const { idx, uri } = getStatusListFromJWT(token);
    assert.ok(idx < 1024 * 1024 && ours.has(uri), uri);
    try {
      verifier.verify(token);
    } catch (error) {
      assert.ok(["ERR_TOKEN_REVOKED", "ERR_JWKS_NO_MATCHING_KEY"].includes(error.code), error.code);
      ours.get(uri).add(idx);
    }
  }
  return { ours, others };
}

const count = (revoked) => [...revoked.values()].reduce((sum, { size }) => sum + size, 0);

describe("the status lists of an issuer", () => {
  let issuer;
  let pairs;
  before(async () => {
    // Signed again only when something is revoked: then two answers of one moment have the same times.
    issuer = await startDaemon({ COUNTERSIGN_STATUS_LIST_AUDIENCES: "api", COUNTERSIGN_LIST_INTERVAL_SECONDS: "150" });
    pairs = await mint(issuer, COUNT);
  });
  after(() => issuer.stop());

  test("are found by two other libraries to revoke nothing before anything is revoked", async () => {
    const { ours, others } = await compare(issuer, pairs);
    assert.ok(others.size >= LIVES.length, `${others.size} epochs`);
    assert.deepEqual([count(ours), count(others)], [0, 0]);
  });

  test("are found by two other libraries to revoke exactly the tokens that this package finds revoked", async () => {
    const single = pairs.filter(() => randomInt(6) === 0).map((pair) => pair.access_token);
    const sessions = pairs.filter(() => randomInt(12) === 0).map((pair) => pair.refresh_token);
    await Promise.all([...single, ...sessions].map((token) => issuer.revoke(token)));
    const { ours, others } = await compare(issuer, pairs);
    assert.ok(count(ours) > COUNT / 20, `${count(ours)} revoked`);
    assert.deepEqual(others, ours); // of every index, also of those that were never issued
  });

  test("show what a subject, a client, everything and a key take back, and nothing that is issued afterwards", async () => {
    const [header] = pairs[0].access_token.split(".");
    const key = JSON.parse(Buffer.from(header, "base64url")).kid;
    for (const target of [{ subject: "user-7" }, { client: "admin" }, { all: true }, { key }]) {
      const before = pairs.length;
      pairs.push(...(await mint(issuer, 20)));
      await issuer.revokeBy(target);
      const fresh = await mint(issuer, 20);
      pairs.push(...fresh);
      const { ours, others } = await compare(issuer, pairs);
      for (const [at, { access_token: token }] of pairs.entries()) {
        const { idx, uri } = getStatusListFromJWT(token);
        assert.equal(others.get(uri).has(idx), ours.get(uri).has(idx), `${JSON.stringify(target)}, token ${at}`);
        if (at >= before + 20) assert.equal(ours.get(uri).has(idx), false);
        else if (target.subject === undefined) assert.equal(ours.get(uri).has(idx), true);
      }
    }
  });

  test("are refused by both libraries when a byte has been changed", async () => {
    const [{ jwt, cwt }] = await lists(issuer);
    const jwks = `${issuer.origin}/.well-known/jwks.json`;
    const changed = Buffer.from(cwt);
    changed[changed.length - 70] ^= 1; // in the payload, which ends before the 64 bytes of the signature
    assert.ok("refused" in (await pythonCwt({ jwks, lists: [changed.toString("base64")] }))[0]);
    const keys = createRemoteJWKSet(new URL(jwks));
    await assert.rejects(jwtVerify(`${jwt.slice(0, -10)}AAAAAAAAAA`, keys), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
  });
});
