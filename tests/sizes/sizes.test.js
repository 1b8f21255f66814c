/** The budget of what a browser loads. A page loads the bundle and one of the two modules. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { bundled } from "../bundling.js";

/** In bytes. `download` is the bundle and the larger of the two modules, each compressed by itself. */
const BUDGET = { module: 150_000, moduleCompressed: 60_000, bundleCompressed: 15_000, download: 66_000 };
const MODULES = ["verifier_bg.wasm", "verifier_simd_bg.wasm"];
const PROGRAM = `import { createVerifier } from "countersign"; globalThis.verify = createVerifier;`;

const compressed = (bytes) => gzipSync(bytes, { level: 9 }).length;
const read = (name) => readFileSync(new URL(`../../pkg/wasm/${name}`, import.meta.url));

function holds(context, what, bytes, most) {
  context.diagnostic(`${what}: ${bytes.toLocaleString("en")} of ${most.toLocaleString("en")} bytes`);
  assert.ok(bytes <= most, `${what} is ${bytes - most} bytes too large`);
}

for (const name of MODULES) {
  test(`${name} is small`, (context) => holds(context, name, read(name).length, BUDGET.module));
  test(`${name} is small when compressed`, (context) => holds(context, `${name}, gzip`, compressed(read(name)), BUDGET.moduleCompressed));
}

test("the bundle is small", async (context) => {
  holds(context, "the bundle, gzip", compressed(await bundled(PROGRAM)), BUDGET.bundleCompressed);
});

test("what a browser loads is small", async (context) => {
  const larger = Math.max(...MODULES.map((name) => compressed(read(name))));
  holds(context, "bundle and module, gzip", compressed(await bundled(PROGRAM)) + larger, BUDGET.download);
});
