/** The entry for Node, Deno and Bun: the module is read from the package and instantiated while this file loads. */
import { readFileSync } from "node:fs";
import { clearTimeout, setTimeout } from "node:timers"; // the global ones of Deno cannot be let go of
import { backgroundFetch } from "./node/background-fetch.js";
import { instantiate } from "./src/instance.js";
import { runsOn } from "./src/platform.js";

instantiate(readFileSync(new URL("./wasm/verifier_bg.wasm", import.meta.url)));
runsOn({
  backgroundFetch,
  freeHeaders: true,
  later(run, millis) {
    const timer = setTimeout(run, Math.min(millis, 2 ** 31 - 1)).unref(); // beyond that it fires at once
    return () => clearTimeout(timer);
  },
  onWaking: () => () => {}, // timers that are late tell
});

export * from "./src/index.js";
