/**
 * Credentials handed over in the URL fragment, as `cargo xtask up` prints them:
 *
 *     http://127.0.0.1:8080/#client_id=admin&client_secret=…
 *
 * A fragment is never sent to a server. It would stay in the address bar and in the history, so reading
 * it erases it, whether or not it was complete.
 *
 * @module fragment
 */

/**
 * The credentials the fragment carried, or null; the address no longer shows any fragment that named them.
 *
 * @param {{hash: string, pathname: string, search: string}} location
 * @param {{replaceState(state: unknown, title: string, url: string): void}} history
 * @returns {{clientId: string, clientSecret: string} | null}
 */
export function takeCredentials(location, history) {
  const members = new URLSearchParams(location.hash.replace(/^#/, ""));
  if (!members.has("client_id") && !members.has("client_secret")) return null;
  history.replaceState(null, "", location.pathname + location.search);
  const clientId = members.get("client_id");
  const clientSecret = members.get("client_secret");
  return clientId && clientSecret ? { clientId, clientSecret } : null;
}
