/** Keeping up to date where nothing may go on between requests, and Workers KV. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { keyOf, keySet, listKey, token, tokenKey } from "../issuing.js";
import { Publisher } from "../publishing.js";
import { asked } from "../node/follow.js";
import { COMPATIBILITY_DATES, running } from "./worker.js";

const now = () => Math.floor(Date.now() / 1000);

async function listening(context, listener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${server.address().port}`;
}

/** An issuer, what Workers KV is behind its binding (a GET and a PUT for each key), and a worker that uses both. */
async function working(context, settings) {
  const issuer = new Publisher({ now });
  issuer.iss = `http://${await listening(context, issuer.listener)}`;
  issuer.publish();
  const values = new Map();
  const kv = await listening(context, async (request, response) => {
    const { pathname } = new URL(request.url, "http://kv");
    if (values.failing) return response.writeHead(500).end();
    if (request.method === "PUT") {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      values.set(pathname, Buffer.concat(chunks));
      return response.end();
    }
    const value = values.get(pathname);
    response.writeHead(value === undefined ? 404 : 200).end(value);
  });
  const start = async () => {
    const { url, close } = await running("storing", { env: { ISSUER: issuer.iss }, kv, ...settings });
    context.after(close);
    return async (path, text) => (await fetch(url + path, { headers: { authorization: `Bearer ${text}` } })).json();
  };
  return { issuer, values, start };
}

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

for (const compatibilityDate of COMPATIBILITY_DATES) {
  test(`a worker of ${compatibilityDate} refuses what was revoked at its next request, and begins with what is in KV`, async (context) => {
    const { issuer, values, start } = await working(context, { compatibilityDate });
    const ask = await start();
    const [text, other] = [issuer.token(), issuer.token({ exp: now() + 900, jti: `${Math.floor((now() + 900) / 256)}.8` })];
    assert.deepEqual(await ask("/refresh", text), { sub: "user-1", seq: 2, storeError: null });
    assert.equal(values.size, 1, "stored by the creation");
    asked(issuer);
    issuer.publish(text);
    await pause(250);
    assert.deepEqual(await ask("/refresh", text), { code: "ERR_TOKEN_REVOKED", seq: 3, storeError: null });
    assert.deepEqual(asked(issuer), { since: 1 });
    issuer.instead = Object.fromEntries(["jwks.json", "revocations", "since"].map((name) => [name, () => ({ status: 503 })]));
    const next = await start();
    assert.deepEqual(await next("/", text), { code: "ERR_TOKEN_REVOKED", seq: 3, storeError: null });
    assert.deepEqual(asked(issuer), {}, "without the issuer");
    assert.deepEqual(await next("/refresh", other), { failure: "ERR_FETCH", sub: "user-1", seq: 3, storeError: null });
  });
}

test("a namespace that fails harms nothing", async (context) => {
  const { issuer, values, start } = await working(context);
  values.failing = true;
  const ask = await start();
  const said = await ask("/refresh", issuer.token());
  assert.equal(said.sub, "user-1");
  assert.match(said.storeError, /KV/);
});

test("requests go on while one of them waits for the issuer, and each new key is fetched for by the next", async (context) => {
  const { issuer, start } = await working(context);
  const ask = await start();
  const text = issuer.token();
  await ask("/refresh", text);
  const next = keyOf(8, "token");
  const ofNext = token({ iss: issuer.iss, iat: now(), exp: now() + 600 }, {}, next);
  issuer.keys = keySet(tokenKey, next, listKey);
  assert.equal((await ask("/", ofNext)).code, "ERR_JWKS_NO_MATCHING_KEY");
  assert.equal((await ask("/refresh", ofNext)).sub, "user-1");
  await pause(250);
  asked(issuer);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  issuer.instead.since = () => held.then(() => ({ status: 200, body: issuer.delta(2) }));
  const waiting = ask("/refresh", text);
  while (issuer.asked.length === 0) await pause(5);
  const others = await Promise.all(Array.from({ length: 20 }, () => ask("/refresh", text)));
  assert.deepEqual([...new Set(others.map(({ sub }) => sub))], ["user-1"]);
  assert.deepEqual(issuer.asked, ["since"]);
  release();
  assert.equal((await waiting).sub, "user-1");
});

test("following is refused in a worker, with what to do instead", async (context) => {
  const { start } = await working(context);
  const { code, message } = await (await start())("/follow", "x");
  assert.equal(code, "ERR_USAGE");
  assert.match(message, /refresh\(\{ ifOlderThan/);
});
