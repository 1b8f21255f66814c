/**
 * How long a page in Chromium takes to judge a token with each build of ours, beside `crypto.subtle.verify` of a bare
 * signature, all in that page. Prints JSON.
 *
 *     node chromium.mjs <folder>
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { launched } from "../../runtimes/chromium/browser.js";
import { summary } from "./figures.mjs";
import { AUDIENCE, ISSUER, readFixture } from "./fixture.mjs";
import { BUILDS, copyOf } from "./ours.mjs";

const ROUNDS = 21;
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

const [folder] = process.argv.slice(2);
const { keys, tokens, revocations, refused } = readFixture(folder);

/** `/<build>/…` is that copy of the package, `/rounds.mjs` the one beside this file, everything else an empty page. */
const server = createServer(async ({ url }, response) => {
  const [, build] = url.split("/");
  const file = BUILDS.includes(build) ? join(copyOf(folder, build), url.slice(build.length + 1)) : new URL("./rounds.mjs", import.meta.url);
  if (url === "/") return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>bench</title>");
  const body = await readFile(file).catch(() => undefined);
  response.writeHead(body === undefined ? 404 : 200, { "content-type": TYPES[extname(url)] ?? "text/plain" }).end(body);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const browser = await launched();
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const given = { builds: BUILDS, rounds: ROUNDS, keys, tokens, refused, revocations: [...revocations], options: { issuer: ISSUER, audience: AUDIENCE } };
  const timed = await page.evaluate(inPage, given);
  console.log(JSON.stringify({ version: browser.version(), rounds: ROUNDS, rows: timed.map(summary) }));
} finally {
  await browser.close();
  server.close();
}

/** Runs in the page. */
async function inPage({ builds, rounds, keys, tokens, refused, revocations, options }) {
  const { awaited, inRounds, oneByOne } = await import("/rounds.mjs");
  const bytesOf = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  const refuses = (judge, token) => {
    try {
      judge(token);
      return false;
    } catch {
      return true;
    }
  };
  const contenders = [];
  for (const build of builds) {
    const { createVerifier } = await import(`/${build}/browser.js`);
    const verifier = await createVerifier({ ...options, keys, revocations: new Uint8Array(revocations), cache: false });
    const judge = (token) => verifier.verify(token);
    if (!Object.values(refused).every((token) => refuses(judge, token))) throw new Error(`${build} accepts what it must refuse`);
    contenders.push({ id: `${build}-whole`, name: `countersign, ${build} build`, kind: "whole", turn: oneByOne(judge, tokens) });
    const many = (count) => {
      const started = performance.now();
      for (let at = 0; at < count; at += tokens.length) verifier.verifyMany(tokens);
      return performance.now() - started;
    };
    contenders.push({ id: `${build}-many`, name: `countersign, ${build} build, verifyMany(${tokens.length})`, kind: "whole", turn: many, step: tokens.length });
  }
  const { kid } = JSON.parse(new TextDecoder().decode(bytesOf(tokens[0].split(".")[0])));
  const { kty, crv, x } = keys.keys.find((key) => key.kid === kid);
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x }, { name: "Ed25519" }, false, ["verify"]);
  const signed = (token) => ({ message: new TextEncoder().encode(token.slice(0, token.lastIndexOf("."))), signature: bytesOf(token.slice(token.lastIndexOf(".") + 1)) });
  const holds = ({ message, signature }) => crypto.subtle.verify("Ed25519", key, signature, message);
  if (!(await holds(signed(tokens[0]))) || (await holds(signed(refused.forged)))) throw new Error("crypto.subtle is not set up rightly");
  const signatures = tokens.map(signed);
  contenders.push({ id: "webcrypto", name: "crypto.subtle.verify, one after another", kind: "bare", turn: awaited(holds, signatures) });
  const inFlight = async (count) => {
    const started = performance.now();
    for (let at = 0; at < count; at += signatures.length) await Promise.all(signatures.map(holds));
    return performance.now() - started;
  };
  contenders.push({ id: "webcrypto-flight", name: "crypto.subtle.verify, 1,000 in flight", kind: "bare", turn: inFlight, step: signatures.length });
  const timed = await inRounds(contenders, { rounds, milliseconds: 40 });
  return timed.map(({ id, name, kind, micros }) => ({ id, name, kind, micros }));
}
