/** Following and stores in a real browser: streams over sockets, IndexedDB, the Cache API, a service worker, no network. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { Publisher } from "../publishing.js";
import { launched, site } from "./browser.js";

const browser = await launched();
after(() => browser.close());

/** A page of a site of its own, and an issuer on another origin; all end with the test. */
async function opened(context) {
  const served = await site();
  const server = createServer((request, response) => issuer.listener(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = new Publisher({ iss: `http://127.0.0.1:${server.address().port}`, now: () => Math.floor(Date.now() / 1000) });
  const page = await browser.newPage();
  context.after(async () => {
    await page.context().close();
    server.closeAllConnections();
    server.close();
    await served.close();
  });
  await page.goto(served.url);
  return { page, issuer, url: served.url };
}

/** Makes `verifier` in the page, which holds what it tells in `told`. */
async function verifying(page, issuer, { store, ...options } = {}) {
  const given = { issuer: issuer.iss, audience: "api", ...options };
  return page.evaluate(async ([given, store]) => {
    const { createVerifier } = await import("countersign");
    const stores = { idb: ["indexed-db", "indexedDbStore"], cache: ["cache", "cacheStore"] };
    if (store !== undefined) given.store = (await import(`countersign/stores/${stores[store][0]}.js`))[stores[store][1]]();
    try {
      globalThis.verifier = await createVerifier(given);
    } catch ({ code }) {
      return code;
    }
    globalThis.told = [];
    for (const type of ["revoked", "stale", "recovered", "alarm"]) verifier.addEventListener(type, ({ detail }) => told.push([type, detail]));
    return "made";
  }, [given, store]);
}

const verdict = (page, text) => page.evaluate((text) => {
  try {
    return verifier.verify(text).sub;
  } catch ({ code }) {
    return code;
  }
}, text);

const until = (page, holds, argument) => page.waitForFunction(holds, argument, { timeout: 10_000, polling: 20 });
const stream = () => verifier.status.transport === "stream";
const refused = (text) => {
  try {
    verifier.verify(text);
    return false;
  } catch ({ code }) {
    return code === "ERR_TOKEN_REVOKED";
  }
};

test("a page hears of a revocation by a stream from another origin", async (context) => {
  const { page, issuer } = await opened(context);
  await verifying(page, issuer);
  await until(page, stream);
  const text = issuer.token();
  assert.equal(await verdict(page, text), "user-1");
  issuer.publish(text);
  await until(page, refused, text);
  assert.deepEqual(await page.evaluate(() => told), [["revoked", { seq: 2, entries: 1, added: 1 }]]);
  assert.deepEqual(issuer.asked, ["jwks.json", "revocations", "events"]);
  await page.evaluate(() => verifier.close());
  while (issuer.followers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test("a page asks where there is no stream, and takes a redirect for what it is: fetch the full list", async (context) => {
  const { page, issuer } = await opened(context);
  issuer.instead = {
    events: () => ({ status: 404 }),
    since: () => ({ status: 303, headers: { location: `${issuer.iss}/revocations` } }),
  };
  await verifying(page, issuer, { pollInterval: 0.1 });
  const text = issuer.token();
  issuer.publish(text);
  await until(page, refused, text);
  assert.equal(await page.evaluate(() => verifier.status.transport), "poll");
});

test("a page that is online again asks at once", async (context) => {
  const { page, issuer } = await opened(context);
  await verifying(page, issuer, { pollInterval: 3600 });
  await until(page, stream);
  await page.context().setOffline(true);
  issuer.hangUp();
  await until(page, () => verifier.status.transport === "poll");
  const text = issuer.token();
  issuer.publish(text);
  assert.equal(await verdict(page, text), "user-1");
  await page.context().setOffline(false);
  await until(page, refused, text);
});

for (const store of ["idb", "cache"]) {
  test(`a page that is loaded again without a network verifies by what it stored (${store})`, async (context) => {
    const { page, issuer, url } = await opened(context);
    assert.equal(await verifying(page, issuer, { store }), "made");
    await until(page, stream);
    const text = issuer.token();
    const good = issuer.token({ jti: `${Math.floor((Math.floor(Date.now() / 1000) + 900) / 256)}.8`, exp: Math.floor(Date.now() / 1000) + 900 });
    issuer.publish(text);
    await until(page, refused, text);
    await until(page, () => verifier.status.storeError === null);
    await page.waitForTimeout(1300); // what is revoked is stored within a second
    await page.route(`${issuer.iss}/**`, (route) => route.abort("internetdisconnected"));
    await page.goto(url);
    assert.equal(await verifying(page, issuer, { store }), "made");
    assert.deepEqual([await verdict(page, text), await verdict(page, good)], ["ERR_TOKEN_REVOKED", "user-1"]);
    assert.deepEqual(await page.evaluate(() => [verifier.status.lastContact, verifier.status.seq]), [null, 2]);
    assert.equal(await verifying(page, issuer), "ERR_FETCH", "without the store it could not");
  });
}

test("what was stored and is damaged is dropped, and told of", async (context) => {
  const { page, issuer } = await opened(context);
  await verifying(page, issuer, { store: "idb", follow: false });
  const said = await page.evaluate(async (issuer) => {
    const { createVerifier } = await import("countersign");
    const { indexedDbStore } = await import("countersign/stores/indexed-db.js");
    const store = indexedDbStore();
    let bytes;
    for (let tries = 0; tries < 200 && bytes === undefined; tries += 1) {
      bytes = await store.load();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    bytes[bytes.length >> 1] ^= 1;
    await store.save(bytes);
    const next = await createVerifier({ issuer, audience: "api", store, follow: false });
    return [String(next.status.storeError), next.status.stale];
  }, issuer.iss);
  assert.deepEqual(said, ["Error: the stored state is damaged", false]);
});

test("a service worker verifies, also after the page was loaded again without a network", async (context) => {
  const { page, issuer, url } = await opened(context);
  await page.evaluate(async (issuer) => {
    await navigator.serviceWorker.register(`/service-worker.js?issuer=${encodeURIComponent(issuer)}`, { type: "module" });
    await navigator.serviceWorker.ready;
  }, issuer.iss);
  await page.goto(url);
  const who = (text) => page.evaluate(async (text) => (await fetch("/who", { headers: { authorization: `Bearer ${text}` } })).json(), text);
  const text = issuer.token();
  assert.deepEqual(await who(text), { says: "user-1", seq: 1 });
  issuer.publish(text);
  let said;
  for (let tries = 0; tries < 200 && said?.says !== "ERR_TOKEN_REVOKED"; tries += 1) {
    said = await who(text);
    await page.waitForTimeout(20);
  }
  assert.deepEqual(said, { says: "ERR_TOKEN_REVOKED", seq: 2 });
  await page.waitForTimeout(1300); // what is revoked is stored within a second
  await page.context().setOffline(true);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("ServiceWorker.enable");
  await devtools.send("ServiceWorker.stopAllWorkers");
  issuer.asked.length = 0;
  issuer.instead = Object.fromEntries(["jwks.json", "revocations", "since", "events"].map((name) => [name, () => ({ status: 500 })]));
  await page.goto(url);
  assert.deepEqual(await who(text), { says: "ERR_TOKEN_REVOKED", seq: 2 }, "begun anew, it knows what it knew");
});
