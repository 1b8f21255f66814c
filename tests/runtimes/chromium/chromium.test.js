import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AUDIENCE, keySet, list, NOW, placeOf, serve, token } from "../issuing.js";
import { count, vectors } from "../vectors.js";
import { launched, site } from "./browser.js";

const browser = await launched();
after(() => browser.close());

/** A page of a site of its own; both end with the test. */
async function opened(context, settings) {
  const served = await site(settings);
  const page = await browser.newPage();
  context.after(async () => {
    await page.context().close();
    await served.close();
  });
  await page.goto(served.url);
  return page;
}

/** An issuer that answers pages of other origins. */
async function issuing(context, answers) {
  const open = (body) => (request, response) => {
    response.writeHead(200, { "access-control-allow-origin": "*", "cache-control": "max-age=3600" }).end(body());
  };
  const paths = Object.entries(answers).map(([path, body]) => [path, body.length === 0 ? open(body) : body]);
  const issuer = await serve(Object.fromEntries(paths));
  context.after(issuer.close);
  return issuer.url;
}

for (const [build, file] of [["simd", "verifier_simd_bg.wasm"], ["scalar", "verifier_bg.wasm"]]) {
  test(`Chromium gives the expected outcome on every vector by the ${build} build, and loads no other`, async (context) => {
    const page = await opened(context);
    if (build === "scalar") await page.addInitScript({ path: fileURLToPath(new URL("../without-simd.js", import.meta.url)) });
    await page.reload();
    const fetched = [];
    page.on("request", (request) => fetched.push(new URL(request.url()).pathname));
    const all = vectors();
    context.diagnostic(`${count(all)} vectors`);
    const lines = await page.evaluate(async (given) => {
      const { differences } = await import("/judge.js");
      return differences(await import("countersign"), given);
    }, all);
    assert.deepEqual(lines, []);
    assert.deepEqual(fetched.filter((path) => path.endsWith(".wasm")), [`/pkg/wasm/${file}`]);
  });
}

test("a page fetches keys and list from another origin, verifies offline, and sees a revocation after a refresh", async (context) => {
  const state = { seq: 1, revoked: {} };
  const url = await issuing(context, {
    "/.well-known/jwks.json": () => JSON.stringify(keySet()),
    "/revocations": () => list({ iss: url, ...state }),
  });
  const page = await opened(context);
  const text = token({ iss: url });
  await page.evaluate(async ([issuer, audience, now]) => {
    const { createVerifier } = await import("countersign");
    globalThis.verifier = await createVerifier({ issuer, audience, now: () => now });
  }, [url, AUDIENCE, NOW]);
  const verdict = () => page.evaluate((given) => {
    try {
      return globalThis.verifier.verify(given).sub;
    } catch ({ code }) {
      return code;
    }
  }, text);
  await page.context().setOffline(true);
  assert.equal(await verdict(), "user-1");
  assert.equal(await page.evaluate(() => globalThis.verifier.refresh().catch(({ code }) => code)), "ERR_FETCH");
  assert.equal(await verdict(), "user-1");
  await page.context().setOffline(false);
  Object.assign(state, { seq: 2, revoked: placeOf(text) });
  await page.evaluate(() => globalThis.verifier.refresh());
  assert.equal(await verdict(), "ERR_TOKEN_REVOKED");
});

test("a redirect is not followed in a browser either", async (context) => {
  const redirects = (_, response) => response.writeHead(302, { location: "/else", "access-control-allow-origin": "*" }).end();
  const url = await issuing(context, { "/.well-known/jwks.json": redirects, "/else": () => JSON.stringify(keySet()) });
  const page = await opened(context);
  const seen = await page.evaluate(async (issuer) => {
    const { createVerifier } = await import("countersign");
    return createVerifier({ issuer, audience: null, revocations: null }).catch(({ code, message }) => `${code} ${message}`);
  }, url);
  assert.match(seen, /^ERR_FETCH .*: redirects are not followed$/);
});

const creation = async () => {
  const { createVerifier } = await import("countersign");
  const given = { issuer: "https://issuer.example", audience: null, keys: { keys: [] }, revocations: null };
  return createVerifier(given).catch(({ code, message }) => `${code} ${message}`);
};

test("a policy without 'wasm-unsafe-eval' is a clear error", async (context) => {
  const page = await opened(context, { scripts: "'self' 'nonce-map'" });
  assert.match(await page.evaluate(creation), /^ERR_FETCH .*wasm-unsafe-eval/);
});

test("a module that is not where it was looked for is told by its URL and status, and blamed on no policy", async (context) => {
  const page = await opened(context);
  await page.route("**/*.wasm", (route) => route.fulfill({ status: 404, body: "" }));
  const said = await page.evaluate(creation);
  assert.match(said, /^ERR_FETCH .*\/pkg\/wasm\/verifier_simd_bg\.wasm: .*404/);
  assert.doesNotMatch(said, /Policy/);
});

test("a server that does not know the type of WebAssembly is put up with", async (context) => {
  const page = await opened(context, { wasmType: "application/octet-stream" });
  assert.match(await page.evaluate(creation), /^ERR_JWKS_INVALID/);
});

test("a module that could not be fetched is fetched again by the next creation", async (context) => {
  const page = await opened(context);
  let failing = true;
  await page.route("**/*.wasm", (route) => (failing ? route.abort() : route.continue()));
  assert.match(await page.evaluate(creation), /^ERR_FETCH/);
  failing = false;
  assert.match(await page.evaluate(creation), /^ERR_JWKS_INVALID/);
});

test("a page answers requests of its own, as a service worker would", async (context) => {
  const page = await opened(context);
  const seen = await page.evaluate(async ([keys, text, now]) => {
    const { createVerifier } = await import("countersign");
    const verifier = await createVerifier({ issuer: null, audience: null, keys, revocations: null, now: () => now });
    const answer = (headers) => verifier.authenticate(new Request("/", { headers }));
    const { response } = answer({});
    return [answer({ authorization: `Bearer ${text}` }).claims.sub, response.status, response.headers.get("www-authenticate")];
  }, [keySet(), token(), NOW]);
  assert.deepEqual(seen, ["user-1", 401, "Bearer"]);
});
