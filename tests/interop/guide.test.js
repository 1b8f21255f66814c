/** The module that docs/guide.md shows to services in Python, as it stands there, against a real daemon. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startDaemon } from "../daemon.js";
import { fileOf } from "../executed.js";
import { keySet, serve, token } from "../runtimes/issuing.js";
import { guided } from "./python.js";

/** A folder with the guide's module in it. */
async function module(context, origin) {
  const folder = await mkdtemp(join(tmpdir(), "countersign-guided-"));
  context.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "verify.py"), await fileOf("docs/guide.md", origin, "verify.py"));
  return folder;
}

const shown = ([claims]) => (typeof claims === "string" ? claims : claims.sub);

test("the guide's Python takes an access token, no other, and asks whether it was taken back", async (context) => {
  const daemon = await startDaemon();
  context.after(daemon.stop);
  const folder = await module(context, daemon.origin);

  const back = { client_id: "back-end", grants: ["mint", "refresh_token"], audiences: ["api"] };
  const headers = { authorization: `Basic ${btoa(`admin:${daemon.secret}`)}`, "content-type": "application/json" };
  const answer = await fetch(`${daemon.origin}/v1/clients`, { method: "POST", headers, body: JSON.stringify(back) });
  const { client_id, client_secret } = await answer.json();

  const good = await daemon.mint({ sub: "user-1", scope: "read" });
  const revoked = await daemon.mint({ sub: "user-2" });
  await daemon.revoke(revoked.access_token);
  const elsewhere = await daemon.mint({ aud: "else" });
  const issuers = await daemon.mint({ aud: daemon.origin });
  const [head, claims, signature] = good.access_token.split(".");
  const forged = [head, claims, `${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`].join(".");
  const unsigned = [Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url"), claims, ""].join(".");
  const tokens = [good.access_token, revoked.access_token, elsewhere.access_token, forged, unsigned, good.refresh_token, issuers.access_token, "x"];
  const verdicts = await guided({ tokens, client_id, client_secret }, folder, { ISSUER: daemon.origin });
  const seen = verdicts.map((verdict) => [shown(verdict), verdict[1]]);
  assert.deepEqual(seen.slice(0, 4), [["user-1", true], ["user-2", false], ["InvalidAudienceError", false], ["InvalidSignatureError", false]]);
  for (const [claims, active] of seen.slice(4)) {
    assert.match(claims, /Error$/);
    assert.equal(active, false);
  }
});

test("the guide's Python goes by the type, and by the times but for when a token was issued", async (context) => {
  const sends = (body) => (_, response) => response.end(JSON.stringify(body));
  const issuer = await serve({ "/.well-known/jwks.json": sends(keySet()), "/oauth/introspect": sends({ active: true }) });
  context.after(issuer.close);
  const now = Math.floor(Date.now() / 1000);
  const made = (own, header) => token({ iss: issuer.url, aud: "api", iat: now, exp: now + 900, ...own }, header);
  const cases = [
    [made(), "user-1"],
    [made({}, { typ: "application/AT+jwt" }), "user-1"],
    [made({ iat: now + 30 }), "user-1"],
    [made({}, { typ: "rt+jwt" }), "InvalidTokenError"],
    [made({}, { typ: "JWT" }), "InvalidTokenError"],
    [made({}, { typ: undefined }), "InvalidTokenError"],
    [made({ iat: now - 900, exp: now - 60 }), "ExpiredSignatureError"],
    [made({ nbf: now + 60 }), "ImmatureSignatureError"],
    [made({ iss: "https://else.example" }), "InvalidIssuerError"],
    [made({ sid: undefined }), "MissingRequiredClaimError"],
  ];
  const given = { tokens: cases.map(([text]) => text), client_id: "back-end", client_secret: "secret" };
  const verdicts = await guided(given, await module(context, issuer.url), { ISSUER: issuer.url });
  assert.deepEqual(verdicts.map(shown), cases.map(([, expected]) => expected));
});
