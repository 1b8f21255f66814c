/** The entry for Node, Deno and Bun: a module is read from the package and instantiated while this file loads. */
import { readFileSync } from "node:fs";
import { clearTimeout, setTimeout } from "node:timers"; // the global ones of Deno cannot be let go of
import { fetchInBackground } from "./node/background-fetch.js";
import { FetchError } from "./src/errors.js";
import { instantiate } from "./src/instance.js";
import { runsOn } from "./src/platform.js";
import { hasSimd } from "./src/simd.js";

instantiate(moduleBytes());
runsOn({
  backgroundFetch: fetchInBackground,
  cacheSize: 1024,
  freeHeaders: true,
  later(run, millis) {
    const timer = setTimeout(run, Math.min(millis, 2 ** 31 - 1)).unref(); // beyond that it fires at once
    return () => clearTimeout(timer);
  },
  onWaking: () => () => {}, // timers that are late tell
});

export * from "./src/index.js";

function moduleBytes() {
  let module;
  try {
    module = hasSimd() ? new URL("./wasm/verifier_simd_bg.wasm", import.meta.url) : new URL("./wasm/verifier_bg.wasm", import.meta.url);
    return readFileSync(module);
  } catch (cause) {
    // A bundle has this file's text and not its place: as CommonJS none at all, as a module its own.
    const message = `the verifier's WebAssembly module could not be read: ${cause.message} (a bundle for servers has to leave "countersign" outside, as external)`;
    throw new FetchError(message, { url: String(module ?? "wasm/"), cause });
  }
}
