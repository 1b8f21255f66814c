/** The entry for workerd and what builds for it: the runtime, which has vectors, compiles the module, this file instantiates it at once. */
import module from "./wasm/verifier_simd_bg.wasm";
import { instantiate } from "./src/instance.js";
import { runsOn } from "./src/platform.js";

instantiate(module);
runsOn({
  background: false, // nothing may go on after the request that began it
  cacheSize: 1024,
});

export * from "./src/index.js";
