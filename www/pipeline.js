/**
 * The checks of a token in the order the verifier makes them, and the one that a refusal came from.
 * Pure. The verdict itself is never made here: this only says where on the way it fell.
 *
 * @module pipeline
 */

/**
 * The checks, first to last. `group` is the heading a check is shown under.
 *
 * @type {ReadonlyArray<{id: string, group: string, label: string, detail: string}>}
 */
export const CHECKS = Object.freeze([
  { id: "size", group: "Shape", label: "Size", detail: "at most 8,192 bytes" },
  { id: "parts", group: "Shape", label: "Three parts", detail: "header, claims, signature" },
  { id: "base64url", group: "Shape", label: "Strict base64url", detail: "one spelling only" },
  { id: "header", group: "Shape", label: "Header is JSON", detail: "no member twice" },
  { id: "alg", group: "Header and signature", label: "Algorithm", detail: "Ed25519, nothing else" },
  { id: "typ", group: "Header and signature", label: "Type", detail: "at+jwt" },
  { id: "crit", group: "Header and signature", label: "No foreign members", detail: "crit, jwk, jku, …" },
  { id: "kid", group: "Header and signature", label: "Key is known", detail: "kid is in the key set" },
  { id: "signature", group: "Header and signature", label: "Signature", detail: "over header and claims" },
  { id: "claims", group: "Claims", label: "Claims are whole", detail: "all there, each of its type" },
  { id: "iss", group: "Claims", label: "Issuer", detail: "the one trusted" },
  { id: "aud", group: "Claims", label: "Audience", detail: "this verifier’s" },
  { id: "time", group: "Claims", label: "In its time", detail: "nbf to exp" },
  { id: "jti", group: "Claims", label: "Index and session", detail: "jti fits exp" },
  { id: "scope", group: "Claims", label: "Scope", detail: "holds what is asked" },
  { id: "fresh", group: "Revocation", label: "List is fresh", detail: "not past its end" },
  { id: "live", group: "Revocation", label: "Not revoked", detail: "not in the list" },
]);

const BY_JWS_REASON = Object.freeze({
  too_long: "size",
  parts: "parts",
  base64url: "base64url",
  alg: "alg",
  kid: "kid",
  refused_member: "crit",
});

const BY_CLAIM = Object.freeze({ typ: "typ", iss: "iss", aud: "aud", nbf: "time", exp: "time", jti: "jti", scope: "scope" });

const BY_CODE = Object.freeze({
  ERR_JOSE_ALG_NOT_ALLOWED: "alg",
  ERR_JWKS_NO_MATCHING_KEY: "kid",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "signature",
  ERR_JWT_INVALID: "claims",
  ERR_JWT_EXPIRED: "time",
  ERR_STATUS_MISSING: "jti",
  ERR_STATUS_STALE: "fresh",
  ERR_TOKEN_REVOKED: "live",
});

/** The check a claim's refusal belongs to: its form is judged before its value, but `sid` is asked for with the index. */
function byClaim(claim, reason) {
  if (claim === "sid" && reason === "missing") return "jti";
  if (claim !== "typ" && reason !== "check_failed") return "claims";
  return BY_CLAIM[claim] ?? "claims";
}

/**
 * The id of the check that made this refusal, or null for a code this page does not know.
 *
 * @param {{code: string, claim?: string | null, reason?: string | null}} refusal
 */
export function failedCheck({ code, claim, reason }) {
  if (code === "ERR_JWS_INVALID") return BY_JWS_REASON[reason] ?? "header";
  if (code === "ERR_JWT_CLAIM_VALIDATION_FAILED") return byClaim(claim, reason);
  return BY_CODE[code] ?? null;
}

/**
 * Each check with what became of it: "passed", "failed", "skipped" (after a failure), or "idle" without a token.
 *
 * @param {{kind: string, code?: string, claim?: string | null, reason?: string | null}} verdict
 */
export function progress(verdict) {
  if (verdict.kind === "accepted") return CHECKS.map((check) => ({ ...check, state: "passed" }));
  const failed = verdict.kind === "refused" ? CHECKS.findIndex(({ id }) => id === failedCheck(verdict)) : -1;
  if (failed < 0) return CHECKS.map((check) => ({ ...check, state: "idle" }));
  const stateAt = (index) => (index < failed ? "passed" : index === failed ? "failed" : "skipped");
  return CHECKS.map((check, index) => ({ ...check, state: stateAt(index) }));
}
