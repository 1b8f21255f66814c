import assert from "node:assert/strict";
import { test } from "node:test";
import { createVerifier, UsageError, VerificationError } from "countersign";
import { AUDIENCE, ISSUER, keySet, list, NOW, token } from "../issuing.js";

const given = { issuer: ISSUER, audience: AUDIENCE, keys: keySet(), revocations: null, now: () => NOW };
const verifier = await createVerifier(given);

/** The answer to a request with these headers, as what a client sees of it. */
async function seen(headers, options, by = verifier) {
  const { ok, response, claims } = by.authenticate(new Request(ISSUER, { headers }), options);
  if (ok) return claims.sub;
  const text = await response.text();
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.doesNotMatch(`${text}${[...response.headers]}`, /eyJ/, "no token in the answer");
  return { status: response.status, challenge: response.headers.get("www-authenticate"), body: text === "" ? null : JSON.parse(text) };
}

test("a request without credentials is told the scheme and nothing else", async () => {
  const bare = { status: 401, challenge: "Bearer", body: null };
  assert.deepEqual(await seen({}), bare);
  assert.deepEqual(await seen({ authorization: "Basic dXNlcjpwYXNz" }), bare);
  assert.deepEqual(await seen({ authorization: "Bearerx abc" }), bare);
  assert.deepEqual(await seen({ cookie: `at=${token()}` }), bare);
  assert.deepEqual(await seen({ cookie: "at=; other=1" }, { cookie: "at" }), bare);
  const realm = { ...bare, challenge: 'Bearer realm="a \\"b\\" \\\\c"' };
  assert.deepEqual(await seen({}, { realm: 'a "b" \\c' }), realm);
});

test("a Bearer token is taken from the header, whatever the case of the scheme", async () => {
  for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
    assert.equal(await seen({ authorization: `${scheme} ${token()}` }), "user-1");
    assert.equal(await seen({ authorization: `${scheme}   ${token()}` }), "user-1");
  }
});

test("a token is taken from the cookie that is named", async () => {
  const cookie = `theme=dark; __Host-at=${token()};at=else`;
  assert.equal(await seen({ cookie }, { cookie: "__Host-at" }), "user-1");
  assert.equal(await seen({ cookie: `at=${token()}`, authorization: "Basic dXNlcg==" }, { cookie: "at" }), "user-1");
  assert.equal(await seen({ authorization: `Bearer ${token()}` }, { cookie: "at" }), "user-1");
  assert.equal((await seen({ cookie }, { cookie: "Host-at" })).status, 401);
});

test("a cookie whose name begins with white space is another one, but for spaces and tabs", () => {
  const of = (cookie) => verifier.authenticate({ headers: { get: (name) => (name === "cookie" ? cookie : null) } }, { cookie: "__Host-at" });
  for (const space of [" ", "\t", " \t  "]) assert.equal(of(`a=b;${space}__Host-at=${token()}${space};${space}`).ok, true);
  for (const space of ["\u00a0", "\u2000", "\ufeff", "\v", "\f", "\r\n", " \u00a0 "]) {
    assert.equal(of(`a=b; ${space}__Host-at=${token()}`).response.status, 401);
    assert.equal(of(`__Host-at=${token()}; ${space}__Host-at=else`).ok, true);
    assert.equal(of(`__Host-at=${token()}${space}x`).ok, false);
  }
  for (const header of ["", " ", "\t;;  ; "]) assert.equal(of(header).response.status, 401);
});

test("a malformed or ambiguous request is a 400", async () => {
  const faults = [
    [{ authorization: "Bearer" }],
    [{ authorization: "Bearer " }],
    [{ authorization: `Bearer ${token()} ${token()}` }],
    [{ authorization: `Bearer ${token()}, Bearer ${token()}` }],
    [{ authorization: 'Bearer "x"' }],
    [{ authorization: "Bearer =" }],
    [{ authorization: `Bearer\t${token()}` }, undefined, 401],
    [{ authorization: `Bearer ${token()}`, cookie: `at=${token()}` }, { cookie: "at" }],
    [{ cookie: `at=${token()}; at=${token()}` }, { cookie: "at" }],
  ];
  for (const [headers, options, status = 400] of faults) {
    const answer = await seen(headers, options);
    assert.equal(answer.status, status, JSON.stringify(headers));
    if (status === 400) {
      assert.match(answer.challenge, /^Bearer error="invalid_request", error_description="[^"\\]+"$/);
      assert.equal(answer.body.error, "invalid_request");
    }
  }
});

test("a refused token is a 401 that says why, in words that RFC 6750 allows", async () => {
  const refused = [token({ exp: NOW - 60, iat: NOW - 900 }), token({ aud: "else" }), token({ sub: undefined }), "a.b.c", "x", "a".repeat(9000)];
  for (const text of refused) {
    const { ok, response, error } = verifier.authenticate(new Request(ISSUER, { headers: { authorization: `Bearer ${text}` } }), { realm: "api" });
    assert.equal(ok, false);
    assert.ok(error instanceof VerificationError);
    assert.equal(response.status, 401);
    assert.match(response.headers.get("www-authenticate"), /^Bearer realm="api", error="invalid_token", error_description="[\x20-\x21\x23-\x5b\x5d-\x7e]+"$/);
    const body = await response.json();
    assert.deepEqual([body.error, body.code], ["invalid_token", error.code]);
    assert.equal(response.headers.get("content-type"), "application/json");
  }
});

test("a missing scope is a 403 that names every scope asked for", async () => {
  const strict = await createVerifier({ ...given, scope: "read" });
  const headers = { authorization: `Bearer ${token({ scope: "read" })}` };
  assert.equal(await seen(headers, undefined, strict), "user-1");
  const answer = await seen(headers, { scope: "write admin" }, strict);
  assert.equal(answer.status, 403);
  assert.match(answer.challenge, /^Bearer error="insufficient_scope", error_description="the token's 'scope' [^"]+", scope="read write admin"$/);
  assert.equal(answer.body.error, "insufficient_scope");
  const illTyped = await seen({ authorization: `Bearer ${token({ scope: ["read"] })}` }, undefined, strict);
  assert.equal(illTyped.status, 401);
});

test("a list too old to tell is the server's trouble: 503, to be tried again", async () => {
  const stale = await createVerifier({ ...given, revocations: list({ exp: NOW - 1, iat: NOW - 300 }) });
  const { ok, response, error } = stale.authenticate(new Request(ISSUER, { headers: { authorization: `Bearer ${token()}` } }));
  assert.deepEqual([ok, response.status, response.headers.get("retry-after"), response.headers.get("www-authenticate")], [false, 503, "1", null]);
  assert.equal(error.code, "ERR_STATUS_STALE");
  assert.deepEqual((await response.json()).code, "ERR_STATUS_STALE");
});

test("misuse is thrown, never answered", () => {
  for (const request of [undefined, null, {}, { headers: { authorization: "Bearer x" } }, "Bearer x"]) {
    assert.throws(() => verifier.authenticate(request), UsageError);
  }
  const request = new Request(ISSUER);
  for (const cookie of ["", "a b", "a=b", "a;b", 7, null]) assert.throws(() => verifier.authenticate(request, { cookie }), /"cookie"/);
  for (const realm of ["a\nb", "é", 7, null]) assert.throws(() => verifier.authenticate(request, { realm }), /"realm"/);
});

test("a closed verifier answers no request, whatever it carries", async () => {
  const closed = await createVerifier(given);
  closed.close();
  for (const headers of [{}, { authorization: "Bearer" }, { authorization: `Bearer ${token()}` }]) {
    assert.throws(() => closed.authenticate(new Request(ISSUER, { headers })), { code: "ERR_USAGE", message: /has been closed/ });
  }
});

test("the body of an answer has the members that are documented, and no others", async () => {
  const stale = await createVerifier({ ...given, revocations: list({ exp: NOW - 1, iat: NOW - 300 }) });
  const cases = [
    [{ authorization: "Bearer" }, undefined, verifier, ["error", "error_description"]],
    [{ authorization: "Bearer x" }, { realm: "api" }, verifier, ["error", "error_description", "code"]],
    [{ authorization: `Bearer ${token()}` }, { scope: "write", realm: "api" }, verifier, ["error", "error_description", "scope", "code"]],
    [{ authorization: `Bearer ${token()}` }, { realm: "api" }, stale, ["error", "error_description", "code"]],
  ];
  for (const [headers, options, by, members] of cases) assert.deepEqual(Object.keys((await seen(headers, options, by)).body), members);
});
