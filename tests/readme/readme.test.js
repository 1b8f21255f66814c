/** The README, executed: its shell blocks against a real daemon, its modules as their sections say. */
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { startDaemon } from "../daemon.js";
import { execute, project as projectOf } from "../executed.js";

const README = "README.md";

let daemon;
let project;

before(async () => {
  daemon = await startDaemon();
  project = await projectOf(README, daemon.origin);
});

after(async () => {
  await daemon?.stop();
  if (project !== undefined) await rm(project, { recursive: true, force: true });
});

test("the shell blocks do what the README says", async () => {
  const { claims, found } = await execute(README, daemon.origin, project, { CLIENT: `${daemon.clientId}:${daemon.secret}` });
  assert.ok(claims >= 6, "the README makes claims to check");
  assert.equal(found, claims);
});

test("the frontend's module tells who a token speaks of, and why not, and hears of a revocation by itself", async () => {
  const { whoIs } = await import(pathToFileURL(path.join(project, "frontend.mjs")));
  const { access_token: token } = await daemon.mint({ sub: "user-4" });
  assert.equal(whoIs(token), "user-4");
  assert.equal(whoIs(`${token}x`), "ERR_JWS_INVALID");
  await daemon.revoke(token);
  const deadline = Date.now() + 10_000;
  while (whoIs(token) === "user-4" && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(whoIs(token), "ERR_TOKEN_REVOKED");
});

test("the edge worker answers 200, 401 and 403", async () => {
  const { default: worker } = await import(pathToFileURL(path.join(project, "worker.mjs")));
  const ask = async (headers) => {
    const response = await worker.fetch(new Request("https://edge.example/", { headers }), { ISSUER: daemon.origin });
    return { status: response.status, challenge: response.headers.get("WWW-Authenticate"), text: await response.text() };
  };
  const { access_token: reader } = await daemon.mint({ sub: "user-5", scope: "read" });
  const { access_token: writer } = await daemon.mint({ sub: "user-5", scope: "write" });
  assert.deepEqual(await ask({ Authorization: `Bearer ${reader}` }), { status: 200, challenge: null, text: '{"hello":"user-5"}' });
  assert.equal((await ask({})).status, 401);
  assert.match((await ask({ Authorization: "Bearer x" })).challenge, /^Bearer .*error="invalid_token"/);
  assert.equal((await ask({ Authorization: `Bearer ${writer}` })).status, 403);
});
