/**
 * What the Chromium tests share: the browser of this machine, and a site that uses the package from plain modules.
 */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "../issuing.js";

const EXECUTABLE = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"];
const PKG = new URL("../../../pkg/", import.meta.url);
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };

/** Starts Chromium. */
export async function launched() {
  if (!existsSync(EXECUTABLE)) {
    throw new Error(`there is no Chromium at ${EXECUTABLE}: apt-get install --no-install-recommends chromium, or set CHROMIUM_BIN`);
  }
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}

/**
 * Serves an empty page whose import map knows `countersign`, under a strict Content-Security-Policy, and the package.
 *
 * @param {{ scripts?: string, wasmType?: string }} [settings] `scripts` is the policy's `script-src`.
 */
export async function site({ scripts = "'self' 'nonce-map' 'wasm-unsafe-eval'", wasmType = TYPES[".wasm"] } = {}) {
  const page = (_, response) => {
    const policy = `default-src 'none'; script-src ${scripts}; worker-src 'self'; connect-src 'self' http://127.0.0.1:*`;
    response.writeHead(200, { "content-type": "text/html", "content-security-policy": policy });
    response.end('<!doctype html><script type="importmap" nonce="map">{"imports":{"countersign":"/pkg/browser.js","countersign/stores/":"/pkg/stores/"}}</script>');
  };
  const file = async (request, response) => {
    const path = new URL(request.url, "http://localhost").pathname.replace(/^\/pkg\//, "");
    const type = extname(path) === ".wasm" ? wasmType : TYPES[extname(path)];
    response.writeHead(200, { "content-type": type }).end(await readFile(new URL(path, PKG)));
  };
  const judge = async (_, response) => {
    const text = await readFile(new URL("../judge.js", import.meta.url));
    response.writeHead(200, { "content-type": TYPES[".js"] }).end(text);
  };
  // An import map is for pages only: a service worker names the files.
  const worker = async (_, response) => {
    const text = await readFile(new URL("./service-worker.js", import.meta.url));
    response.writeHead(200, { "content-type": TYPES[".js"] }).end(text);
  };
  const scriptsOf = async (folder) => (await readdir(new URL(`${folder}/`, PKG))).filter((name) => name.endsWith(".js")).map((name) => `${folder}/${name}`);
  const files = ["browser.js", "wasm/verifier.js", "wasm/verifier_bg.wasm", "wasm/verifier_simd_bg.wasm", ...(await scriptsOf("src")), ...(await scriptsOf("stores"))];
  const fixed = { "/": page, "/judge.js": judge, "/service-worker.js": worker };
  return serve({ ...fixed, ...Object.fromEntries(files.map((name) => [`/pkg/${name}`, file])) });
}
