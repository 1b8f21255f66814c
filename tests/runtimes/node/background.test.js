/** Following over real sockets, and that it keeps nobody from ending. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { createVerifier } from "countersign";
import { backgroundFetch } from "../../../pkg/node/background-fetch.js";
import { serve } from "../issuing.js";
import { Publisher } from "../publishing.js";
import { answers, heard, verdict } from "./follow.js";

/** An issuer on a free port. */
async function serving(context) {
  const server = createServer((request, response) => issuer.listener(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = new Publisher({ iss: `http://127.0.0.1:${server.address().port}`, now: () => Math.floor(Date.now() / 1000) });
  return issuer;
}

async function until(holds) {
  const deadline = Date.now() + 5000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, "it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("a revocation arrives over a socket, by the stream and by asking", async (context) => {
  for (const transport of ["stream", "poll"]) {
    await context.test(transport, async (context) => {
      const issuer = await serving(context);
      if (transport === "poll") issuer.instead.events = answers.missing;
      const verifier = await createVerifier({ issuer: issuer.iss, audience: "api", pollInterval: 0.05 });
      context.after(() => verifier.close());
      const told = heard(verifier);
      if (transport === "stream") await until(() => verifier.status.transport === "stream");
      const text = issuer.token();
      assert.equal(verdict(verifier, text), true);
      issuer.publish(text);
      await until(() => verdict(verifier, text) === "ERR_TOKEN_REVOKED");
      assert.equal(told.length, 1);
      assert.equal(verifier.status.transport, transport);
    });
  }
});

test("where the program has changed how its fetch reaches the network, following goes that way", async (context) => {
  const builtIn = globalThis.fetch;
  const name = Symbol.for("undici.globalDispatcher.1");
  const issuer = await serving(context);
  await builtIn(`${issuer.iss}/revocations`); // from then on there is a dispatcher
  const own = globalThis[name];
  const asked = new Set();
  class ProxyAgent {
    dispatch(options, handler) {
      asked.add(options.path);
      return own.dispatch(options, handler);
    }
  }
  const changes = {
    "a dispatcher": () => (globalThis[name] = new ProxyAgent()),
    "another fetch": () => (globalThis.fetch = (url, init) => asked.add(new URL(url).pathname) && builtIn(url, init)),
  };
  for (const [change, make] of Object.entries(changes)) {
    await context.test(change, async (context) => {
      make();
      context.after(() => Object.assign(globalThis, { fetch: builtIn, [name]: own }));
      asked.clear();
      const verifier = await createVerifier({ issuer: issuer.iss, audience: "api" });
      context.after(() => verifier.close());
      await until(() => verifier.status.transport === "stream");
      assert.deepEqual([...asked].sort(), ["/.well-known/jwks.json", "/revocations", "/revocations/events"]);
    });
  }
});

test("a script with a verifier that follows ends by itself", async (context) => {
  const script = fileURLToPath(new URL("./ending.js", import.meta.url));
  const ends = async (issuer, wait, ...flags) => {
    const given = [script, issuer.iss, issuer.token(), ...(wait === undefined ? [] : [wait])];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...given], { timeout: 5000 });
    return stdout.trim();
  };
  const issuer = await serving(context);
  assert.equal(await ends(issuer), "user-1 poll");
  assert.equal(await ends(issuer, "stream"), "user-1 stream");
  issuer.instead.since = answers.silent;
  issuer.instead.events = answers.silent;
  assert.equal(await ends(issuer, "poll"), "user-1 poll", "also while it waits for answers that never come");
});

test("the fetch of the background gives what the global one gives", async (context) => {
  const { url, close } = await serve({
    "/plain": (_, response) => response.writeHead(200, { "x-one": "1", "set-cookie": ["a=1", "b=2"] }).end("ü"),
    "/redirect": (_, response) => response.writeHead(302, { location: "/plain" }).end(),
    "/nothing": (_, response) => response.writeHead(204).end(),
    "/same": (_, response) => response.writeHead(304).end(),
    "/cut": (_, response) => response.writeHead(200, { "content-length": "10" }).write("x", () => response.socket.destroy()),
    "/asked": (request, response) => response.end(JSON.stringify([request.method, request.headers.accept, request.headers["accept-encoding"]])),
    "/coded": (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x")),
  });
  context.after(close);
  const ask = (path, init) => backgroundFetch(url + path, { headers: undefined, ...init });
  const plain = await ask("/plain");
  assert.deepEqual([plain.status, plain.headers.get("x-one"), plain.headers.getSetCookie(), await plain.text()], [200, "1", ["a=1", "b=2"], "ü"]);
  assert.deepEqual(await Promise.all(["/redirect", "/nothing", "/same"].map(async (path) => (await ask(path)).status)), [302, 204, 304]);
  await assert.rejects(ask("/cut").then((response) => response.text()));
  assert.deepEqual(await (await ask("/asked", { headers: { Accept: "text/x" } })).json(), ["GET", "text/x", undefined] .map((part) => part ?? null));
  assert.equal(new Uint8Array(await (await ask("/coded")).arrayBuffer())[0], 0x1f, "nothing is unpacked");
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(ask("/plain", { signal: controller.signal }), { name: "AbortError" });
  await assert.rejects(backgroundFetch("http://127.0.0.1:1/", {}), { code: "ECONNREFUSED" });
  await assert.rejects(backgroundFetch("ftp://127.0.0.1/", {}), TypeError);
});

test("an answer that no Response can hold is a failure like any other, and not the end of the process", async (context) => {
  const heads = ["HTTP/1.1 999 ?", "HTTP/1.1 600 ?", "HTTP/1.1 000 ?", "HTTP/1.1 101 ?", "HTTP/1.1 101 ?\r\nConnection: upgrade\r\nUpgrade: x"];
  let head;
  const server = createTcpServer((socket) => socket.on("error", () => {}).on("data", () => socket.end(`${head}\r\nContent-Length: 1\r\n\r\nx`))).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  for (head of heads) await assert.rejects(backgroundFetch(`http://127.0.0.1:${server.address().port}/`, {}), Error, head);
});
