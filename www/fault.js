/**
 * What the issuer refused, and what a person can do about it. The issuer answers in two shapes:
 *
 *     /oauth/*    {"error": code, "error_description": text}        RFC 6749 section 5.2
 *     elsewhere   {"type", "title", "status", "detail", "code"}     RFC 9457
 *
 * @module fault
 */

/** A request that did not succeed: its HTTP status (0 when none came), stable code, detail and advice. */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} detail */
  constructor(status, code, detail) {
    super(detail);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }

  /** One sentence saying what to do next. */
  get advice() {
    return ADVICE[this.code] ?? byStatus(this.status);
  }
}

const ADVICE = Object.freeze({
  network: "Switch the network on, or see whether the daemon is running. Verification works without it.",
  unreadable: "This is not the daemon this page belongs to. Open the page at the daemon's own address.",
  invalid_client: "Check the client id and the secret. The issuer does not say which of them is wrong.",
  invalid_grant: "This refresh token is of no use any more. Mint a new pair.",
  invalid_scope: "Ask for a scope this client may grant, and at most what the session holds.",
  unauthorized_client: "Sign in as a client that is allowed to do this.",
  access_denied: "Sign in as a client that is allowed to do this.",
  invalid_request: "Correct the field that the message names.",
  invalid_field: "Correct the field that the message names.",
  missing_field: "Fill in the field that the message names.",
  unknown_field: "This page and the daemon are of different versions. Load the page again.",
  body_too_large: "Shorten the own claims: a request has at most 16 KiB.",
  too_many_live_tokens: "Wait until earlier tokens of the session have expired, or mint a new pair.",
  not_ready: "Look at /readyz for what the issuer waits for. Verification works without it.",
  temporarily_unavailable: "Wait a moment and try again. Nothing was changed.",
});

function byStatus(status) {
  if (status === 429 || status === 503) return "Wait a moment and try again. Nothing was changed.";
  if (status >= 500) return "Look into the daemon's log. Nothing was acknowledged.";
  if (status === 401 || status === 403) return "Sign in again, as a client that is allowed to do this.";
  return "Correct the request and send it again.";
}

/**
 * The error that an answer outside 2xx describes; an unreadable answer still gives its status.
 *
 * @param {number} status
 * @param {string} text the body as sent
 */
export function fault(status, text) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    return new ApiError(status, `http_${status}`, `the issuer answered ${status}`);
  }
  const code = body?.code ?? body?.error ?? `http_${status}`;
  const detail = body?.detail ?? body?.error_description ?? body?.title ?? `the issuer answered ${status}`;
  return new ApiError(status, String(code), String(detail));
}
