/** The entry for workerd and what builds for it: the runtime compiles the module, this file instantiates it at once. */
import module from "./wasm/verifier_bg.wasm";
import { instantiate } from "./src/instance.js";

instantiate(module);

export * from "./src/index.js";
