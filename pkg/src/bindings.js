/**
 * The bindings behind a verifier: made from its settings, and what they say of themselves. A refusal is returned as the
 * array that the desk holds; whoever calls says what it means.
 */
import { refused, Verifier } from "../wasm/verifier.js";
import { currentDesk } from "./instance.js";

const encoder = new TextEncoder();

/** By the numbers of verifier-wasm; 0 is none. */
const OUTCOMES = /** @type {const} */ ([undefined, "newer", "same", "older", "gap"]);
/** What the key set is answered by that is taken. */
const TAKEN = 1;
/** By the numbers of verifier-wasm/src/status.rs. */
const [SEQ, ISSUED_AT, EXPIRES_AT, USABLE_UNTIL, NOT_BEFORE, BYTES, ENTRIES, RULES] = [0, 1, 2, 3, 4, 5, 6, 7];

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
  return Verifier.of(bytes, leeway, revocations !== null, maxStaleness ?? NaN, keys, cacheSize) ?? currentDesk().refusal(refused());
}

/** Takes a full list or a delta into use, and returns what became of it. */
export function load(bindings, document, now) {
  const outcome = bindings.loadRevocations(document, now);
  return OUTCOMES[outcome] ?? currentDesk().refusal(outcome);
}

/** Takes a key set into use, and returns nothing unless it is refused. */
export function loadKeys(bindings, keys) {
  const outcome = bindings.loadKeys(keys);
  return outcome === TAKEN ? undefined : currentDesk().refusal(outcome);
}

/** Returns all that the bindings say of themselves, by name. */
export function statusOf(bindings) {
  return {
    seq: bindings.status(SEQ),
    issuedAt: bindings.status(ISSUED_AT),
    expiresAt: bindings.status(EXPIRES_AT),
    usableUntil: bindings.status(USABLE_UNTIL),
    notBefore: bindings.status(NOT_BEFORE),
    bytes: bindings.status(BYTES),
    entries: bindings.status(ENTRIES),
    rules: bindings.status(RULES),
    keys: currentDesk().keyIds(bindings),
  };
}
