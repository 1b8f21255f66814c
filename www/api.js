/**
 * The issuer's HTTP interface as this page uses it: mint, refresh, revoke. The client secret lives in
 * this closure only: it is in no state, no storage and no address.
 *
 * @module api
 */

import { ApiError, fault } from "./fault.js";

const FORM = "application/x-www-form-urlencoded";

/** RFC 6749 section 2.3.1: both halves are form-urlencoded before RFC 7617's base64. */
function basic({ clientId, clientSecret }) {
  const encode = (text) => new URLSearchParams({ "": text }).toString().slice(1);
  return `Basic ${btoa(`${encode(clientId)}:${encode(clientSecret)}`)}`;
}

/**
 * A client of one issuer.
 *
 * @param {(path: string, init?: RequestInit) => Promise<Response>} fetch the page's own (network.js)
 */
export function createApi(fetch) {
  let authorization = null;

  /** The answer's text and JSON. Every failure, of the wire or of the issuer, is an {@link ApiError}. */
  async function call(path, init) {
    let response;
    let text;
    try {
      response = await fetch(path, { cache: "no-store", ...init });
      text = await response.text();
    } catch (error) {
      throw new ApiError(0, "network", error.message);
    }
    if (!response.ok) throw fault(response.status, text);
    try {
      return { text, body: text === "" ? null : JSON.parse(text) };
    } catch {
      throw new ApiError(response.status, "unreadable", "the answer is not JSON");
    }
  }

  const post = (path, type, body, credentials = authorization) => {
    const headers = { "content-type": type, ...(credentials !== null && { authorization: credentials }) };
    return call(path, { method: "POST", headers, body });
  };

  const postForm = (path, members, credentials) => post(path, FORM, new URLSearchParams(members).toString(), credentials);

  return {
    /**
     * The credentials are known to be right and are kept for the calls below. Introspection of a text that is
     * no token asks the issuer nothing else than whether it knows this client.
     */
    async signIn(credentials) {
      const candidate = basic(credentials);
      await postForm("/oauth/introspect", { token: "sign-in" }, candidate);
      authorization = candidate;
    },

    /** The credentials are forgotten. */
    signOut() {
      authorization = null;
    },

    /** The issuer's metadata document (RFC 8414). */
    metadata: async () => (await call("/.well-known/oauth-authorization-server")).body,

    /** Resolves when the issuer is ready to issue, and fails with its reason otherwise. */
    readiness: () => call("/readyz"),

    /** A pair for a subject: `{text, body}`, the answer as sent and as read. */
    mint: (request) => post("/v1/tokens", "application/json", JSON.stringify(request)),

    /** The next pair for this refresh token, or the same one again for a retry: `{text, body}`. */
    refresh: (refreshToken) => postForm("/oauth/token", { grant_type: "refresh_token", refresh_token: refreshToken }),

    /** What the request names is revoked, with all that came of it: `{seq, effective_by}`. For administrators. */
    revokeBy: async (request) => (await post("/v1/revocations", "application/json", JSON.stringify(request))).body,

    /** The token, or the whole session of a refresh token, is revoked: `{seq, effective_by}`. */
    revoke: async (token, hint) => (await postForm("/oauth/revoke", { token, token_type_hint: hint })).body,
  };
}
