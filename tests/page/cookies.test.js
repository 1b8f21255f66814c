/**
 * A login with cookies in a real Chromium, on plain http over loopback: the browser keeps them in spite of Secure, shows scripts the
 * CSRF token alone, and sends nothing for a page of another site. In Node a backend verifies the token out of the Cookie field.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { createVerifier } from "countersign";
import { stage } from "./browser.js";

const PASSWORD = "three quiet otters";
const { daemon, browser } = await stage({ COUNTERSIGN_USERS_ENABLED: "true" });

const asAdmin = (path, body) =>
  fetch(`${daemon.origin}${path}`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${daemon.clientId}:${daemon.secret}`).toString("base64")}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });

const made = await asAdmin("/v1/users", { user_name: "maria", password: PASSWORD, roles: ["editor"] });
assert.equal(made.status, 201);

/** A page of this origin, and a function that posts from it; `csrf`: whether it sends the token that its cookie shows. */
async function open(origin) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${origin}/healthz`);
  const post = (path, body, { csrf = true, base = "" } = {}) =>
    page.evaluate(
      async ([url, body, csrf]) => {
        const headers = { "content-type": "application/json" };
        const token = /(?:^|; )__Host-csrf=([^;]*)/.exec(document.cookie)?.[1];
        if (csrf && token !== undefined) headers["x-csrf-token"] = token;
        try {
          const answer = await fetch(url, { method: "POST", headers, credentials: "include", body: JSON.stringify(body) });
          return { status: answer.status, body: await answer.json() };
        } catch (error) {
          return { status: 0, body: { code: error.name } };
        }
      },
      [`${base}${path}`, body, csrf],
    );
  const login = () => post("/v1/session", { username: "maria", password: PASSWORD, transport: "cookie" });
  const kept = async () => Object.fromEntries((await context.cookies(`${origin}/v1/session`)).map((cookie) => [cookie.name, cookie]));
  return { context, page, post, login, kept };
}

test("a browser keeps the cookies, hides the tokens from scripts, and forgets them at logout", async () => {
  const { context, page, post, login, kept } = await open(daemon.origin);
  const answer = await login();
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.body.access_token, undefined);
  const cookies = await kept();
  assert.deepEqual(Object.keys(cookies).sort(), ["__Host-access", "__Host-csrf", "__Secure-device", "__Secure-refresh"]);
  for (const { secure, httpOnly, name, sameSite } of Object.values(cookies)) {
    assert.equal(secure, true, name);
    assert.equal(httpOnly, name !== "__Host-csrf", name);
    assert.equal(sameSite, name === "__Host-access" ? "Lax" : "Strict", name);
  }
  assert.equal(await page.evaluate(() => document.cookie), `__Host-csrf=${answer.body.csrf_token}`);

  const refused = await post("/v1/session/refresh", {}, { csrf: false });
  assert.deepEqual([refused.status, refused.body.code], [403, "invalid_csrf_token"]);
  assert.equal((await post("/v1/session/refresh", {})).status, 200);
  assert.notEqual((await kept())["__Host-access"].value, cookies["__Host-access"].value);
  assert.equal((await post("/v1/session/logout", {})).status, 200);
  assert.deepEqual(Object.keys(await kept()), ["__Secure-device"]);
  await context.close();
});

test("a page of another site can neither log in nor use the cookies", async () => {
  const stranger = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<title>elsewhere</title>"));
  stranger.listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const { context, login, kept } = await open(daemon.origin);
  assert.equal((await login()).status, 200);
  const held = await kept();
  const page = await context.newPage();
  await page.goto(`http://localhost:${stranger.address().port}/`); // another site than 127.0.0.1
  const tried = await page.evaluate(async (origin) => {
    const post = (path, type, mode) =>
      fetch(`${origin}${path}`, { method: "POST", mode, credentials: "include", headers: { "content-type": type }, body: "{}" })
        .then((answer) => answer.type, (error) => error.name);
    return [await post("/v1/session/logout", "application/json", "cors"), await post("/v1/session/logout", "text/plain", "no-cors")];
  }, daemon.origin);
  assert.deepEqual(tried, ["TypeError", "opaque"], "the first is not even sent, the second is refused");
  assert.deepEqual(await kept(), held);
  await context.close();
  stranger.close();
});

test("a backend in Node verifies the access token out of the Cookie field", async () => {
  const { context, login, kept } = await open(daemon.origin);
  const { body } = await login();
  const cookies = Object.values(await kept()).map(({ name, value }) => `${name}=${value}`);
  const field = `theme=dark; ${cookies.join("; ")}`;
  const token = /(?:^|; )__Host-access=([^;]*)/.exec(field)?.[1];
  const verifier = await createVerifier({ issuer: daemon.origin, audience: "api" });
  try {
    const claims = verifier.verify(token);
    assert.deepEqual([claims.client_id, claims.sid, claims.roles], ["login", body.sid, ["editor"]]);
  } finally {
    verifier.close?.();
    await context.close();
  }
});
