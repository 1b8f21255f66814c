/** Which of the two builds is loaded. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const wasm = (name) => readFileSync(new URL(`../../../pkg/wasm/${name}`, import.meta.url));
const [SCALAR, SIMD] = [wasm("verifier_bg.wasm"), wasm("verifier_simd_bg.wasm")];
const WITHOUT_SIMD = fileURLToPath(new URL("../without-simd.js", import.meta.url));

/** Says of which length what it compiles is. */
const PROGRAM = `
  const lengths = [];
  WebAssembly.Module = new Proxy(WebAssembly.Module, { construct: (Module, [bytes]) => (lengths.push(bytes.length), new Module(bytes)) });
  await import("countersign");
  console.log(JSON.stringify(lengths));`;

async function compiled(...flags) {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const { stdout } = await run(process.execPath, [...flags, "--input-type=module", "--eval", PROGRAM], { cwd });
  return JSON.parse(stdout);
}

test("Node compiles one build: that with vectors, and where there are none the other", async () => {
  assert.notEqual(SCALAR.length, SIMD.length);
  assert.deepEqual(await compiled(), [SIMD.length]);
  assert.deepEqual(await compiled("--import", WITHOUT_SIMD), [SCALAR.length]);
});
