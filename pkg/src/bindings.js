/** The bindings behind a verifier: made from its settings, and what they say of themselves. */
import { Verifier } from "../wasm/verifier.js";

const encoder = new TextEncoder();

/** By the numbers of verifier-wasm. */
const OUTCOMES = /** @type {const} */ (["newer", "same", "older", "gap"]);

/**
 * Returns bindings without a revocation list.
 *
 * @param {{ issuer: string | null, audience: string[] | null, leeway: number, scope?: string, maxStaleness?: number, revocations: unknown, cacheSize: number }} settings
 * @param {Uint8Array} keys
 */
export function bindings({ issuer, audience, leeway, scope, maxStaleness, revocations, cacheSize }, keys) {
  const asked = [
    ...(issuer === null ? [] : [`i${issuer}`]),
    ...(audience ?? []).map((name) => `a${name}`),
    ...(scope?.split(" ") ?? []).map((value) => `s${value}`),
  ];
  const bytes = Uint8Array.from(asked.flatMap((entry) => [...encoder.encode(entry), 0xff])); // verifier-wasm/src/asked.rs
  return new Verifier(bytes, leeway, revocations !== null, maxStaleness ?? NaN, keys, cacheSize);
}

/** Takes a full list or a delta into use, and returns what became of it. */
export function load(bindings, document, now) {
  return OUTCOMES[bindings.loadRevocations(document, now)];
}

/** Returns what the bindings say of themselves, by name: verifier-wasm/src/status.rs describes it. */
export function statusOf([[seq, issuedAt, expiresAt, usableUntil, notBefore, bytes, entries, rules], keys]) {
  return { seq, issuedAt, expiresAt, usableUntil, notBefore, bytes, entries, rules, keys };
}
