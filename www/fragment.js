/**
 * Credentials handed over in the URL fragment, as `cargo xtask up` prints them, and a token, as the page's own link to
 * a second tab has it:
 *
 *     http://127.0.0.1:8080/#client_id=admin&client_secret=…
 *     http://127.0.0.1:8080/#token=…
 *
 * A fragment is never sent to a server. It would stay in the address bar and in the history, so reading
 * it erases it, whether or not it was complete.
 *
 * @module fragment
 */

const NAMES = Object.freeze(["client_id", "client_secret", "token"]);

/**
 * What the fragment carried; the address no longer shows any fragment that named one of these.
 *
 * @param {{hash: string, pathname: string, search: string}} location
 * @param {{replaceState(state: unknown, title: string, url: string): void}} history
 * @returns {{credentials: {clientId: string, clientSecret: string} | null, token: string | null}}
 */
export function takeHanded(location, history) {
  const members = new URLSearchParams(location.hash.replace(/^#/, ""));
  if (!NAMES.some((name) => members.has(name))) return { credentials: null, token: null };
  history.replaceState(null, "", location.pathname + location.search);
  const [clientId, clientSecret, token] = NAMES.map((name) => members.get(name));
  return { credentials: clientId && clientSecret ? { clientId, clientSecret } : null, token: token || null };
}

/** The address of a tab that judges this token. */
export const addressFor = (token) => `/#${new URLSearchParams({ token })}`;
