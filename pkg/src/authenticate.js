/**
 * From a request to claims, or to the answer that RFC 6750 asks for.
 */
import { UsageError, VerificationError } from "./errors.js";
import { authenticateSettings } from "./options.js";

// RFC 9110 §11.1: a scheme's name is case-insensitive.
const BEARER_SCHEME = /^bearer(?: |$)/i;
// RFC 6750 §2.1: b64token
const BEARER_CREDENTIALS = /^bearer +([-A-Za-z0-9._~+/]+=*)$/i;
// Without spaces and tabs around it: other white space is a part of the name, which it makes another one.
const PAIR = /^[ \t]*(.*[^ \t])?/s;

/**
 * Returns `{ ok: true, claims }`, or `{ ok: false, response, error }` with a Response to be sent as it is.
 *
 * `verifierScope` is what the verifier asks of every token; an answer that tells of a missing scope names it too.
 */
export function authenticate(verifier, verifierScope, request, options) {
  const { cookie, realm, scope } = authenticateSettings(options);
  const { token, fault } = credentials(request, cookie);
  if (fault !== undefined) return refused(400, { realm, error: "invalid_request", error_description: fault });
  if (token === undefined) return refused(401, { realm });
  try {
    return { ok: true, claims: verifier.verify(token, { scope }) };
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return { ...answerTo(error, realm, joined(verifierScope, scope)), error };
  }
}

/** Returns the one token of the request, or why there is not one; neither when it carries no credentials. */
function credentials(request, cookie) {
  if (typeof request?.headers?.get !== "function") throw new UsageError("authenticate takes a Request of the Fetch API");
  const authorization = request.headers.get("authorization") ?? "";
  const cookies = cookie === undefined ? [] : cookieValues(request.headers.get("cookie") ?? "", cookie);
  // Credentials of another scheme are somebody else's: for this one the request has none.
  if (!BEARER_SCHEME.test(authorization)) {
    return cookies.length > 1 ? { fault: "the cookie is sent more than once" } : { token: cookies[0] };
  }
  // RFC 6750 §2: one method per request
  if (cookies.length > 0) return { fault: "a token is sent both as a header and as a cookie" };
  const token = BEARER_CREDENTIALS.exec(authorization)?.[1];
  return token === undefined ? { fault: "the Authorization header is malformed" } : { token };
}

/** Returns the values of the cookies of this name (RFC 6265 §4.2.1); an empty one is a cookie that was cleared. */
function cookieValues(header, name) {
  return header
    .split(";")
    .map((pair) => PAIR.exec(pair)?.[1] ?? "")
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
    .filter((value) => value !== "");
}

/** RFC 6750 §3.1. That the list is too old is the server's trouble, not the token's: 503, to be tried again. */
function answerTo(error, realm, scope) {
  const { code, claim, reason } = error;
  const error_description = described(error.message);
  if (code === "ERR_STATUS_STALE") {
    const body = { error: "temporarily_unavailable", error_description, code };
    return { ok: false, response: answer(503, { "Retry-After": "1" }, body) };
  }
  if (claim === "scope" && reason === "check_failed") {
    return refused(403, { realm, error: "insufficient_scope", error_description, scope }, code);
  }
  return refused(401, { realm, error: "invalid_token", error_description }, code);
}

function refused(status, { realm, ...parameters }, code) {
  const challenge = Object.entries({ realm, ...parameters })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(", ");
  const headers = { "WWW-Authenticate": challenge === "" ? "Bearer" : `Bearer ${challenge}` };
  // RFC 6750 §3.1: a request without credentials is told nothing but the scheme.
  const body = parameters.error === undefined ? null : { ...parameters, code };
  return { ok: false, response: answer(status, headers, body) };
}

function answer(status, headers, body) {
  const type = body === null ? undefined : { "Content-Type": "application/json" };
  const text = body === null ? null : JSON.stringify(body);
  return new Response(text, { status, headers: { ...headers, ...type, "Cache-Control": "no-store" } });
}

/** RFC 9110 §5.6.4 */
function quoted(value) {
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/** RFC 6750 §3: an error description has neither quotation marks nor backslashes, nor anything beyond ASCII. */
function described(message) {
  return message.replaceAll('"', "'").replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "?");
}

function joined(...scopes) {
  const given = scopes.filter((scope) => scope !== undefined);
  return given.length === 0 ? undefined : given.join(" ");
}
