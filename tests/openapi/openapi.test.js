import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { startDaemon } from "../daemon.js";
import { describedFetch, expectDescribed } from "./document.js";

const COMMITTED = new URL("../../docs/openapi.json", import.meta.url);

let daemon;
before(async () => {
  daemon = await startDaemon();
});
after(() => daemon.stop());

test("the document is what OpenAPI 3.1 asks for", async () => {
  const judge = new Validator();
  const { valid, errors } = await judge.validate(JSON.parse(await readFile(COMMITTED, "utf8")));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(judge.version, "3.1");
  const broken = await judge.validate({ openapi: "3.1.1", info: { title: "no version" }, paths: {} });
  assert.equal(broken.valid, false);
});

test("the daemon serves the committed document to everyone, and says when a caller has it", async () => {
  const answer = await describedFetch(`${daemon.origin}/openapi.json`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  assert.equal(await answer.text(), await readFile(COMMITTED, "utf8"));
  const again = await describedFetch(`${daemon.origin}/openapi.json`, { headers: { "if-none-match": answer.headers.get("etag") } });
  assert.equal(again.status, 304);
});

test("every public document is as described", async () => {
  const paths = ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/status", "/healthz", "/readyz", "/revocations", "/nothing"];
  for (const path of paths) await describedFetch(daemon.origin + path);
});

test("a planted answer that is not described is found", () => {
  const headers = (type) => new Headers({ "x-request-id": "1", "cache-control": "no-store", "content-type": type });
  const alive = { status: 200, headers: headers("application/json"), body: '{"status":"ok"}' };
  expectDescribed("GET", "/healthz", alive);
  for (const planted of [
    { ...alive, status: 201 },
    { ...alive, body: '{"status":"ok","uptime":7}' },
    { ...alive, body: "{}" },
    { ...alive, headers: headers("text/plain") },
    { ...alive, headers: new Headers({ "content-type": "application/json" }) },
  ]) assert.throws(() => expectDescribed("GET", "/healthz", planted), /no such answer/, JSON.stringify(planted));
  assert.throws(() => expectDescribed("POST", "/healthz", alive), /no such answer/);
  assert.throws(() => expectDescribed("GET", "/nothing", alive), /no such answer/);
});
