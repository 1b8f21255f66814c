/** Other people's OAuth clients get, refresh, exchange, introspect and revoke tokens. Only plain http is allowed to them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as oauth from "oauth4webapi";
import { startDaemon } from "../daemon.js";
import { authlib } from "./python.js";

const PLAIN = { [oauth.allowInsecureRequests]: true };
const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS = "urn:ietf:params:oauth:token-type:access_token";

let issuer;
let as;

/** Makes a client with these terms. */
async function made(terms) {
  const basic = Buffer.from(`${issuer.clientId}:${issuer.secret}`).toString("base64");
  const answer = await fetch(`${issuer.origin}/v1/clients`, {
    method: "POST",
    headers: { Authorization: `Basic ${basic}`, "Content-Type": "application/json" },
    body: JSON.stringify(terms),
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  return answer.json();
}

before(async () => {
  issuer = await startDaemon();
  const url = new URL(issuer.origin);
  const answer = await oauth.discoveryRequest(url, { ...PLAIN, algorithm: "oauth2" });
  as = await oauth.processDiscoveryResponse(url, answer);
});
after(() => issuer.stop());

/** Gets a token for the client itself. */
async function own(client, authentication, parameters = {}) {
  const answer = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, PLAIN);
  return oauth.processClientCredentialsResponse(as, client, answer);
}

/** Asks what is known of a token. */
async function introspected(client, authentication, token) {
  const answer = await oauth.introspectionRequest(as, client, authentication, token, PLAIN);
  return oauth.processIntrospectionResponse(as, client, answer);
}

describe("oauth4webapi", () => {
  test("proves a client by its secret, both ways, and by a key", async () => {
    const { client_id, client_secret } = await made({ grants: ["client_credentials"], scopes: ["r"] });
    const client = { client_id };
    for (const authentication of [oauth.ClientSecretBasic(client_secret), oauth.ClientSecretPost(client_secret)]) {
      const { access_token, scope, token_type } = await own(client, authentication, { scope: "r" });
      assert.deepEqual([scope, token_type], ["r", "bearer"]);
      const claims = await introspected(client, authentication, access_token);
      assert.deepEqual([claims.active, claims.sub, claims.client_id], [true, client_id, client_id]);
      const answer = await oauth.revocationRequest(as, client, authentication, access_token, PLAIN);
      await oauth.processRevocationResponse(answer);
      assert.equal((await introspected(client, authentication, access_token)).active, false);
    }
    const { privateKey, publicKey } = await oauth.generateKeyPair("Ed25519");
    const jwk = await crypto.subtle.exportKey("jwk", publicKey);
    const signing = await made({ grants: ["client_credentials"], jwks: { keys: [{ ...jwk, kid: "mine" }] } });
    for (const key of [privateKey, { key: privateKey, kid: "mine" }]) {
      const authentication = oauth.PrivateKeyJwt(key);
      const { access_token } = await own({ client_id: signing.client_id }, authentication);
      assert.equal((await introspected({ client_id: signing.client_id }, authentication, access_token)).active, true);
    }
    const stranger = oauth.PrivateKeyJwt((await oauth.generateKeyPair("Ed25519")).privateKey);
    await assert.rejects(own({ client_id: signing.client_id }, stranger), { status: 401 });
  });

  test("refreshes, and exchanges a user's token for one of another audience", async () => {
    const backend = await made({ grants: ["mint", "refresh_token"], audiences: ["api"] });
    const basic = Buffer.from(`${backend.client_id}:${backend.client_secret}`).toString("base64");
    const minted = await fetch(`${issuer.origin}/v1/tokens`, {
      method: "POST",
      headers: { Authorization: `Basic ${basic}`, "Content-Type": "application/json" },
      body: JSON.stringify({ sub: "alice", aud: "api", scope: "r w" }),
    });
    const pair = await minted.json();
    const client = { client_id: backend.client_id };
    const authentication = oauth.ClientSecretBasic(backend.client_secret);
    const answer = await oauth.refreshTokenGrantRequest(as, client, authentication, pair.refresh_token, PLAIN);
    const refreshed = await oauth.processRefreshTokenResponse(as, client, answer);
    assert.notEqual(refreshed.refresh_token, pair.refresh_token);

    const api = await made({ grants: ["token_exchange"], audiences: ["api", "billing"] });
    const acting = { client_id: api.client_id };
    const proof = oauth.ClientSecretPost(api.client_secret);
    const asked = { subject_token: refreshed.access_token, subject_token_type: ACCESS, audience: "billing", scope: "r" };
    const exchange = await oauth.genericTokenEndpointRequest(as, acting, proof, EXCHANGE, asked, PLAIN);
    const exchanged = await oauth.processGenericTokenEndpointResponse(as, acting, exchange);
    assert.deepEqual([exchanged.issued_token_type, exchanged.scope], [ACCESS, "r"]);
    const claims = await introspected(acting, proof, exchanged.access_token);
    assert.deepEqual([claims.active, claims.sub, claims.aud, claims.act], [true, "alice", "billing", { sub: api.client_id }]);
    const more = await oauth.genericTokenEndpointRequest(as, acting, proof, EXCHANGE, { ...asked, audience: "admin" }, PLAIN);
    await assert.rejects(oauth.processGenericTokenEndpointResponse(as, acting, more), { error: "invalid_target" });
  });
});

describe("Authlib", () => {
  test("gets, refreshes, introspects and revokes tokens, by secret and by key", async () => {
    const client = await made({ grants: ["client_credentials", "mint", "refresh_token"] });
    const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString("base64");
    const minted = await fetch(`${issuer.origin}/v1/tokens`, {
      method: "POST",
      headers: { Authorization: `Basic ${basic}`, "Content-Type": "application/json" },
      body: JSON.stringify({ sub: "alice", aud: "api" }),
    });
    const { refresh_token } = await minted.json();
    const { privateKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
    const { kty, crv, x, d } = await crypto.subtle.exportKey("jwk", privateKey);
    const signing = await made({ grants: ["client_credentials"], jwks: { keys: [{ kty, crv, x }] } });
    const { client_id, client_secret } = client;
    const jwk = { kty, crv, x, d };
    const given = { issuer: issuer.origin, client_id, client_secret, refresh_token, signing: { client_id: signing.client_id, jwk } };
    const answers = await authlib(given);
    for (const method of ["client_secret_basic", "client_secret_post"]) {
      assert.equal(answers[method].scope, "r");
      assert.deepEqual([answers[`${method} introspected`].active, answers[`${method} introspected`].sub], [true, client_id]);
    }
    assert.ok(answers.refreshed.refresh_token && answers.refreshed.refresh_token !== refresh_token);
    assert.deepEqual(answers.revoked, { active: false });
    assert.equal(answers.private_key_jwt.token_type, "Bearer");
  });
});
