/**
 * The guide, executed on an empty folder: its commands start a daemon, its service answers behind the same host, and its
 * page logs in from a real Chromium.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile, rm, symlink } from "node:fs/promises";
import { createServer, request as ask } from "node:http";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { execute, project as projectOf } from "../executed.js";
import { launch } from "../page/browser.js";

const GUIDE = "docs/guide.md";
const BUILT = fileURLToPath(new URL("../../target/release/countersign", import.meta.url));
const PATIENCE_MS = 10_000;

let service;
let host;
let origin;
let project;
let listen;

/** The one host in front of daemon and application, as a proxy would be. */
before(async () => {
  host = createServer(async (request, response) => {
    if (request.url === "/") return response.setHeader("content-type", "text/html").end("<!doctype html><title>application</title>");
    if (request.url === "/page.mjs") return response.setHeader("content-type", "text/javascript").end(await readFile(path.join(project, "page.mjs")));
    if (request.url === "/orders") return service.emit("request", request, response);
    const [hostname, port] = listen.split(":");
    const passed = ask({ hostname, port, path: request.url, method: request.method, headers: request.headers });
    passed.on("response", (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
    passed.on("error", () => response.destroy());
    response.on("close", () => passed.destroy());
    request.pipe(passed);
  });
  origin = `http://127.0.0.1:${await port(host)}`;
  const other = createServer();
  listen = `127.0.0.1:${await port(other)}`;
  other.close();
  await once(other, "close");
  project = await projectOf(GUIDE, origin);
  await mkdir(path.join(project, "bin"));
  await symlink(process.env.COUNTERSIGN_BIN ?? BUILT, path.join(project, "bin", "countersign"));
});

after(async () => {
  const pid = await readFile(path.join(project, "serve.pid"), "utf8").catch(() => undefined);
  if (pid !== undefined) process.kill(Number(pid), "SIGTERM");
  host?.closeAllConnections();
  host?.close();
  if (project !== undefined) await rm(project, { recursive: true, force: true });
});

async function port(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

test("the commands do what the guide says", async () => {
  const env = { PATH: `${path.join(project, "bin")}:${process.env.PATH}`, COUNTERSIGN_LISTEN: listen };
  const { claims, found } = await execute(GUIDE, origin, project, env);
  assert.ok(claims >= 10, "the guide makes claims to check");
  assert.equal(found, claims);
});

test("the service refuses what was taken back, and a browser is let in by its cookie until its user logs out", async () => {
  process.env.ISSUER = origin;
  ({ service } = await import(pathToFileURL(path.join(project, "service.mjs"))));
  const revoked = (await readFile(path.join(project, "access.txt"), "utf8")).trim();
  const refused = await fetch(`${origin}/orders`, { headers: { authorization: `Bearer ${revoked}` } });
  assert.equal(refused.status, 401);
  assert.equal((await refused.json()).code, "ERR_TOKEN_REVOKED");

  const browser = await launch();
  try {
    const page = await (await browser.newContext()).newPage();
    await page.goto(origin);
    const call = (name, ...values) =>
      page.evaluate(async ([name, values]) => (await (await import("/page.mjs"))[name](...values)).status, [name, values]);
    const orders = () => page.evaluate(async () => {
      const answer = await fetch("/orders");
      return { status: answer.status, body: answer.headers.get("content-type") === null ? null : await answer.json() };
    });
    assert.equal((await orders()).status, 401);
    assert.equal(await call("login", "maria", "some other otters"), 401);
    assert.equal(await call("login", "maria", "three quiet otters"), 200);
    const { status, body } = await orders();
    assert.deepEqual([status, body.roles], [200, ["editor"]]);
    assert.equal(await call("refresh"), 200);
    assert.equal((await orders()).status, 200);

    const post = { method: "POST" };
    const posted = (headers) => page.evaluate(async (headers) => (await fetch("/orders", { method: "POST", headers })).status, headers);
    assert.equal(await call("ask", "/orders", post), 200);
    for (const headers of [{}, { "x-csrf-token": "" }, { "x-csrf-token": "else" }]) assert.equal(await posted(headers), 403);
    const cookies = await page.context().cookies();
    const stolen = cookies.find(({ name }) => name === "__Host-access");
    const withoutCsrf = { method: "POST", headers: { cookie: `${stolen.name}=${stolen.value}` } };
    assert.equal((await fetch(`${origin}/orders`, withoutCsrf)).status, 403);
    assert.equal((await fetch(`${origin}/orders`, { ...withoutCsrf, method: "GET" })).status, 200);
    assert.equal((await fetch(`${origin}/orders`, { method: "POST", headers: { authorization: `Bearer ${stolen.value}` } })).status, 200);

    // A cookie that has ended with its token is renewed without a word; a token that was taken back is not.
    await page.evaluate(() => {
      globalThis.told = 0;
      addEventListener("login", () => (globalThis.told += 1));
    });
    const told = () => page.evaluate(() => globalThis.told);
    await page.context().clearCookies({ name: "__Host-access" });
    assert.equal((await orders()).status, 401);
    assert.equal(await call("ask", "/orders", post), 200);
    assert.equal(await told(), 0);

    const last = (await page.context().cookies()).find(({ name }) => name === "__Host-access");
    assert.equal(await call("logout"), 200);
    assert.equal((await orders()).status, 401);
    assert.equal(await call("ask", "/orders"), 401);
    assert.equal(await told(), 1);
    const withStolen = () => fetch(`${origin}/orders`, { headers: { cookie: `${stolen.name}=${stolen.value}` } });
    for (const deadline = Date.now() + PATIENCE_MS; (await withStolen()).status === 200 && Date.now() < deadline; ) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await (await withStolen()).json()).code, "ERR_TOKEN_REVOKED");
    await page.context().addCookies([last]);
    assert.equal(await call("ask", "/orders"), 401);
    assert.equal(await told(), 2);
  } finally {
    await browser.close();
  }
});
