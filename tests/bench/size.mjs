/**
 * How much a browser loads to verify tokens, what of it the WebAssembly is (the build for simd128), and how large the daemon is.
 *
 *     node size.mjs <daemon>
 *
 * "Bundled" is what esbuild makes of a program that imports the verifier and calls it, minified; the module itself is
 * a file beside the bundle. jose stands beside it, bundled alike, with what does the same without revocation.
 * Prints Markdown.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { bundled } from "../bundling.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const [daemon] = process.argv.slice(2);

const OURS = `import { createVerifier } from "countersign"; globalThis.verify = createVerifier;`;
const JOSE = `import { createRemoteJWKSet, jwtVerify } from "jose"; globalThis.verify = [createRemoteJWKSet, jwtVerify];`;

const wasm = readFileSync(join(root, "pkg/wasm/verifier_simd_bg.wasm"));
const shipped = withImports(join(root, "pkg/browser.js")).map((file) => readFileSync(file));
const ours = await bundled(OURS);
const jose = await bundled(JOSE);

console.log("| | raw | gzip | brotli |");
console.log("|---|---|---|---|");
row("the WebAssembly module", [wasm]);
row(`the package in a browser as shipped: ${shipped.length} scripts and the module`, [...shipped, wasm]);
row("the same bundled: one script and the module", [ours, wasm]);
row("jose bundled: createRemoteJWKSet and jwtVerify, no revocation", [jose]);
const megabytes = (bytes) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
console.log(`\nThe npm package is ${packed()} packed. The daemon is ${megabytes(statSync(daemon).size)}, console and package included.`);

/** Each file is compressed by itself, as a server does it. */
function row(what, files) {
  const sum = (size) => files.reduce((total, file) => total + size(file), 0).toLocaleString("en");
  console.log(`| ${what} | ${sum((file) => file.length)} | ${sum((file) => gzipSync(file, { level: 9 }).length)} | ${sum((file) => brotliCompressSync(file).length)} |`);
}

/** The script and every script that it imports, directly or not. */
function withImports(entry) {
  const found = new Set([entry]);
  for (const file of found) {
    const text = readFileSync(file, "utf8");
    for (const [, path] of text.matchAll(/^(?:import|export)\b[^;"']*["'](\.[^"']+\.js)["']/gm)) found.add(join(dirname(file), path));
  }
  return [...found];
}

function packed() {
  const [{ size }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: join(root, "pkg"), stdio: ["ignore", "pipe", "ignore"] }));
  return `${(size / 1024).toFixed(0)} KiB`;
}
