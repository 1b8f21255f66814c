/** The entry for browsers and bundlers: a module is fetched when the first verifier is created. */
import { instantiateFrom } from "./src/instance.js";
import { hasSimd } from "./src/simd.js";

// Bundlers carry along what they find written like this.
instantiateFrom(hasSimd() ? new URL("./wasm/verifier_simd_bg.wasm", import.meta.url) : new URL("./wasm/verifier_bg.wasm", import.meta.url));

export * from "./src/index.js";
