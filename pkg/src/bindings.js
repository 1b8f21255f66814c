/** The bindings behind a verifier: made from its settings, and what they say of themselves. */
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

/** Returns what the bindings say of themselves, by name: verifier-wasm/src/status.rs describes it. */
export function statusOf([seq, issuedAt, expiresAt, usableUntil, notBefore, bytes, entries, rules, keys]) {
  return { seq, issuedAt, expiresAt, usableUntil, notBefore, bytes, entries, rules, keys };
}
