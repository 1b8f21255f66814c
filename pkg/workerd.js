/** The entry for workerd and what builds for it: the runtime compiles the module, this file instantiates it at once. */
import module from "./wasm/verifier_bg.wasm";
import { instantiate } from "./src/instance.js";
import { runsOn } from "./src/platform.js";

instantiate(module);
runsOn({ background: false }); // nothing may go on after the request that began it

export * from "./src/index.js";
