/** The entry for browsers and bundlers: the module is fetched when the first verifier is created. */
import { instantiateFrom } from "./src/instance.js";

instantiateFrom(new URL("./wasm/verifier_bg.wasm", import.meta.url));

export * from "./src/index.js";
