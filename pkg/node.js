/** The entry for Node, Deno and Bun: the module is read from the package and instantiated while this file loads. */
import { readFileSync } from "node:fs";
import { instantiate } from "./src/instance.js";

instantiate(readFileSync(new URL("./wasm/verifier_bg.wasm", import.meta.url)));

export * from "./src/index.js";
