/**
 * Where a verifier's key set and revocation list come from when they are not given: their issuer's two public URLs.
 */
import { fetchDocument } from "./fetching.js";

/** Bytes that a fetched JWK Set may have. */
export const MAX_KEYS_LENGTH = 64 * 1024;
/** Bytes that a fetched revocation list may have. */
export const MAX_LIST_LENGTH = 16 * 1024 * 1024;

/** Returns the bytes of the issuer's JWK Set. */
export function fetchKeys(settings, signals) {
  return fetchDocument(`${base(settings)}/.well-known/jwks.json`, { ...limits(settings, signals), what: "the JWK Set", limit: MAX_KEYS_LENGTH });
}

/** Returns the bytes of the issuer's revocation list. */
export function fetchRevocations(settings, signals) {
  return fetchDocument(`${base(settings)}/revocations`, { ...limits(settings, signals), what: "the revocation list", limit: MAX_LIST_LENGTH });
}

function base({ issuer }) {
  return issuer.endsWith("/") ? issuer.slice(0, -1) : issuer;
}

function limits({ fetch, timeoutMillis }, signals) {
  return { fetch, timeoutMillis, signals };
}
