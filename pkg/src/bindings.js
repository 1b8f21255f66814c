/** The bindings behind a verifier, made from its settings. */
import { Options, Verifier } from "../wasm/verifier.js";

/**
 * Returns bindings without a revocation list.
 *
 * @param {{ issuer: string | null, audience: string[] | null, leeway: number, scope?: string, maxStaleness?: number, revocations: unknown, cacheSize: number }} settings
 * @param {Uint8Array} keys
 */
export function bindings({ issuer, audience, leeway, scope, maxStaleness, revocations, cacheSize }, keys) {
  const options = new Options(leeway, revocations !== null);
  try {
    if (issuer !== null) options.issuer(issuer);
    for (const name of audience ?? []) options.audience(name);
    for (const value of scope?.split(" ") ?? []) options.scope(value);
    if (maxStaleness !== undefined) options.maxStaleness(maxStaleness);
    return new Verifier(options, keys, cacheSize);
  } finally {
    options.free();
  }
}
