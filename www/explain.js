/**
 * The verifier's codes in plain words: what each means and what to do about it. Pure.
 *
 * @module explain
 */

const MEANING = Object.freeze({
  ERR_JWS_INVALID: "This is not a well-formed token. Nothing in it was looked at further.",
  ERR_JOSE_ALG_NOT_ALLOWED: "The header asks for an algorithm that no key may use here.",
  ERR_JWKS_NO_MATCHING_KEY: "The issuer has published no key of this name. Fetch the keys again if it is new.",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "The signature does not fit the header and the claims: something was changed, or another key signed.",
  ERR_JWT_INVALID: "The signed part is not a set of claims.",
  ERR_JWT_EXPIRED: "The token’s time is over. Refresh to get the next one.",
  ERR_STATUS_MISSING: "The token has no place in the revocation list, so it cannot be told whether it was revoked.",
  ERR_STATUS_STALE: "The revocation list is past its end, so it cannot be told whether the token was revoked. A newer one comes by itself once the issuer can be reached.",
});

const REVOKED_BY = Object.freeze({
  index: "The issuer has revoked it: its index is in the list.",
  all: "Everything issued until a certain time is revoked.",
  key: "The key that signed it has been withdrawn.",
  subject: "The tokens of its subject are revoked.",
  session: "Its session is revoked.",
  client: "The tokens of its client are revoked.",
});

const CLAIM_FAULT = Object.freeze({
  missing: "is missing",
  invalid: "has the wrong type or is out of range",
  check_failed: "is not what this verifier asks for",
});

/**
 * One or two sentences on a refusal.
 *
 * @param {{code: string, claim?: string | null, reason?: string | null, message?: string}} refusal
 */
export function explain({ code, claim, reason, message }) {
  if (code === "ERR_TOKEN_REVOKED") return REVOKED_BY[reason] ?? "The issuer has taken it back.";
  if (code === "ERR_JWT_CLAIM_VALIDATION_FAILED" && claim) return `“${claim}” ${CLAIM_FAULT[reason] ?? "was refused"}.`;
  return MEANING[code] ?? message ?? "The verifier refused it.";
}

/** What a registered claim or header member says, in a few words; null for a claim of the client's own. */
export const meaningOf = (name) => MEMBER[name] ?? null;

const MEMBER = Object.freeze({
  alg: "how it is signed",
  typ: "what it is",
  kid: "which key signed it",
  iss: "who issued it",
  sub: "whom it is about",
  aud: "whom it is for",
  client_id: "who asked for it",
  iat: "issued",
  exp: "ends",
  nbf: "starts",
  auth_time: "signed in",
  jti: "expiry epoch . index",
  sid: "which session",
  scope: "what it allows",
  roles: "what the subject is",
  permissions: "what the subject may",
});
