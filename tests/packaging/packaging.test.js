import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { keySet, list, NOW, placeOf, serve, token } from "../runtimes/issuing.js";
import { launched } from "../runtimes/chromium/browser.js";
import { packed, project } from "./project.js";

const good = token();
const bad = token({ jti: `${Math.floor((NOW + 900) / 256)}.8` });
const given = { keys: keySet(), good, bad, revocations: [...list({ revoked: placeOf(bad) })], now: NOW };
const EXPECTED = "user-1 true ERR_TOKEN_REVOKED";

let folder;
let tarball;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-packed-"));
  tarball = await packed(folder);
});
after(() => rm(folder, { recursive: true }));

async function installed(context, ...files) {
  const made = await project(tarball.path);
  context.after(made.close);
  await made.add(...files);
  return made;
}

test("the tarball holds the package and nothing else", () => {
  const sources = [
    "authenticate", "bindings", "cache", "create-verifier", "desk", "documents", "errors", "event-stream", "events", "fetching", "follower", "heads", "index",
    "instance", "key-watch", "options", "pace", "persistence", "platform", "refresh-gate", "saver", "simd", "sources", "state", "stored", "stream-watch", "updating",
    "verifier",
  ];
  const stores = ["cache", "file", "indexed-db", "kv"];
  assert.deepEqual(tarball.files.map(({ path }) => path).sort(), [
    "LICENSE", "README.md", "browser.js", "index.d.ts", "node.js", "node/background-fetch.js", "package.json",
    ...sources.map((name) => `src/${name}.js`),
    ...stores.flatMap((name) => [`stores/${name}.d.ts`, `stores/${name}.js`]),
    "wasm/verifier.d.ts", "wasm/verifier.js", "wasm/verifier_bg.wasm", "wasm/verifier_simd_bg.wasm", "workerd.js",
  ].sort());
});

test("the licence in the package is the project's", async () => {
  const [ours, project] = await Promise.all(["../../pkg/LICENSE", "../../LICENSE"].map((path) => readFile(new URL(path, import.meta.url), "utf8")));
  assert.equal(ours, project);
});

test("an empty project installs it without a network, and gets nothing besides", async (context) => {
  const made = await installed(context);
  assert.deepEqual((await readdir(join(made.folder, "node_modules"))).filter((name) => !name.startsWith(".")), ["countersign"]);
});

test("JavaScript imports it", async (context) => {
  const made = await installed(context, "use.mjs", "importing.mjs");
  assert.equal((await made.node("importing.mjs", JSON.stringify(given))).stdout.trim(), EXPECTED);
});

test("CommonJS requires it", async (context) => {
  const made = await installed(context, "use.mjs", "requiring.cjs");
  assert.equal((await made.node("requiring.cjs", JSON.stringify(given))).stdout.trim(), EXPECTED);
});

test("each store can be imported by its own name", async (context) => {
  const made = await installed(context);
  const program = `import assert from "node:assert/strict";
    import { cacheStore } from "countersign/stores/cache";
    import { fileStore } from "countersign/stores/file";
    import { indexedDbStore } from "countersign/stores/indexed-db";
    import { kvStore } from "countersign/stores/kv";
    for (const store of [cacheStore(), fileStore("x"), indexedDbStore(), kvStore({})]) assert.deepEqual(Object.keys(store), ["load", "save"]);`;
  await made.node("--input-type=module", "--eval", program);
});

test("nothing inside of it can be reached but its entries", async (context) => {
  const made = await installed(context);
  for (const path of ["countersign/src/verifier.js", "countersign/wasm/verifier.js", "countersign/node.js"]) {
    await assert.rejects(made.node("--input-type=module", "--eval", `import ${JSON.stringify(path)}`), /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  }
});

test("its WebAssembly files have names, for who has to know their URLs", async (context) => {
  const made = await installed(context);
  const program = `import { readFileSync } from "node:fs";
    const names = ["verifier_bg.wasm", "verifier_simd_bg.wasm"];
    for (const name of names) new WebAssembly.Module(readFileSync(new URL(import.meta.resolve("countersign/wasm/" + name))));`;
  await made.node("--input-type=module", "--eval", program);
});

for (const [module, resolution, lib] of [["nodenext", "nodenext", "es2022,dom"], ["esnext", "bundler", "es2022,dom"], ["esnext", "bundler", "es2022,webworker"]]) {
  test(`TypeScript uses it with ${resolution} resolution and ${lib}`, async (context) => {
    const made = await installed(context, "typed.ts");
    await made.write("package.json", JSON.stringify({ name: "consumer", type: "module", dependencies: { countersign: "*" } }));
    const options = ["--noEmit", "--strict", "--target", "es2022", "--module", module, "--moduleResolution", resolution, "--lib", lib, "--types", ""];
    await made.tool("tsc", ...options, "typed.ts").catch(({ stdout }) => assert.fail(stdout));
  });
}

/** Opens a folder as a site in Chromium, and returns what the bundle there finds. */
async function inChromium(context, site) {
  const names = await readdir(site, { recursive: true });
  const types = { html: "text/html", js: "text/javascript", wasm: "application/wasm" };
  const file = (name) => async (_, response) => {
    const type = types[name.split(".").at(-1)];
    if (type === undefined) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": type }).end(await readFile(join(site, name)));
  };
  const { url, close } = await serve(Object.fromEntries(names.map((name) => [`/${name}`, file(name)])));
  const browser = await launched();
  context.after(() => Promise.all([browser.close(), close()]));
  const page = await browser.newPage();
  await page.goto(`${url}/index.html`);
  await page.waitForFunction(() => globalThis.use !== undefined);
  return page.evaluate((data) => globalThis.use(data), given);
}

test("a Vite build carries both WebAssembly files along", async (context) => {
  const made = await installed(context, "use.mjs", "page.mjs");
  await made.write("index.html", '<!doctype html><script type="module" src="./page.mjs"></script>');
  await made.tool("vite", "build", "--logLevel", "error");
  const assets = await readdir(join(made.folder, "dist/assets"));
  assert.equal(assets.filter((name) => name.endsWith(".wasm")).length, 2);
  assert.equal(await inChromium(context, join(made.folder, "dist")), EXPECTED);
});

test("what Vite says of a file by its name is where the package fetches it from", async (context) => {
  const made = await installed(context, "use.mjs", "page.mjs");
  await made.write("index.html", '<!doctype html><script type="module" src="./page.mjs"></script>');
  await made.write("page.mjs", `${await readFile(join(made.folder, "page.mjs"), "utf8")}
    import simd from "countersign/wasm/verifier_simd_bg.wasm?url";
    globalThis.use = async (given) => [await use(countersign, given), performance.getEntriesByType("resource").some(({ name }) => name.endsWith(simd))];`);
  await made.tool("vite", "build", "--logLevel", "error");
  assert.deepEqual(await inChromium(context, join(made.folder, "dist")), [EXPECTED, true]);
});

test("esbuild leaves the WebAssembly files behind: an error says where one was looked for, and copied there it is found", async (context) => {
  const made = await installed(context, "use.mjs", "page.mjs");
  await made.write("site/index.html", '<!doctype html><script type="module" src="./bundle.js"></script>');
  await made.tool("esbuild", "page.mjs", "--bundle", "--format=esm", "--outfile=site/bundle.js", "--log-level=warning");
  const site = join(made.folder, "site");
  await assert.rejects(inChromium(context, site), /could not be loaded from http:\S+\/wasm\/verifier_simd_bg\.wasm: [^(]*404[^(]*$/m);
  await cp(join(made.folder, "node_modules/countersign/wasm"), join(site, "wasm"), { recursive: true });
  assert.equal(await inChromium(context, site), EXPECTED);
});

for (const format of ["cjs", "esm"]) {
  test(`a bundle for Node says what it lacks, and with the package left outside lacks nothing, as ${format}`, async (context) => {
    const made = await installed(context, "use.mjs", "bundled.mjs");
    const file = `dist/bundle.${format === "cjs" ? "cjs" : "mjs"}`;
    const bundle = async (...more) => {
      await made.tool("esbuild", "bundled.mjs", "--bundle", "--platform=node", `--format=${format}`, `--outfile=${file}`, "--log-level=error", ...more);
      return made.node(file, JSON.stringify(given));
    };
    await assert.rejects(bundle(), /FetchError: the verifier's WebAssembly module could not be read: .*leave "countersign" outside/);
    assert.equal((await bundle("--external:countersign")).stdout.trim(), EXPECTED);
  });
}

test("a build for Workers takes the entry of workerd, one for a worker of a page that of browsers", async (context) => {
  const made = await installed(context);
  const entries = async (conditions) => {
    const options = { bundle: true, write: false, metafile: true, format: "esm", platform: "browser", logLevel: "error", external: ["*.wasm"] };
    const stdin = { contents: 'export * from "countersign";', resolveDir: made.folder };
    const { metafile } = await build({ ...options, stdin, conditions, absWorkingDir: made.folder });
    return Object.keys(metafile.inputs).filter((path) => /countersign\/\w+\.js$/.test(path)).map((path) => path.split("/").at(-1));
  };
  assert.deepEqual(await entries(["workerd", "worker", "browser"]), ["workerd.js"], "as wrangler asks");
  assert.deepEqual(await entries(["worker", "browser"]), ["browser.js"], "as webpack asks for the target webworker");
});

test("without a bundler an import map is enough", async (context) => {
  const made = await installed(context, "use.mjs", "page.mjs");
  const map = JSON.stringify({ imports: { countersign: "/node_modules/countersign/browser.js" } });
  // Servers that know no .mjs are common; the page's own module is inline.
  await made.write("page.js", (await readFile(join(made.folder, "page.mjs"), "utf8")).replace("./use.mjs", "./use.js"));
  await made.write("use.js", await readFile(join(made.folder, "use.mjs"), "utf8"));
  await made.write("index.html", `<!doctype html><script type="importmap">${map}</script><script type="module" src="/page.js"></script>`);
  assert.equal(await inChromium(context, made.folder), EXPECTED);
});
