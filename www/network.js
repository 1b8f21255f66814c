/**
 * The wire between this page and the issuer, and the switch that cuts it. All requests of the page and
 * of the verifier go through the `fetch` made here; with the switch off nothing is sent at all, and what was
 * under way, the stream of events too, has ended.
 *
 * @module network
 */

/** The page's own switch refused a request, or ended it. */
export class SwitchedOff extends TypeError {
  constructor() {
    super("the network is switched off on this page");
    this.name = "SwitchedOff";
  }
}

/**
 * A fetch with a switch.
 *
 * @param {typeof globalThis.fetch} fetch what really sends
 * @param {string} origin where this page came from: the only place it may talk to
 */
export function createNetwork(fetch, origin) {
  let cut = new AbortController();
  let issuer = origin;

  return {
    /**
     * Sends a request unless the switch is off. Requests to the issuer's name go to the daemon that served
     * this page: it may be reached by another name (`localhost`) than the one in its tokens.
     */
    async fetch(resource, init) {
      cut.signal.throwIfAborted();
      const address = String(resource);
      const path = address.startsWith(`${issuer}/`) ? address.slice(issuer.length) : address;
      const signal = init?.signal ? AbortSignal.any([init.signal, cut.signal]) : cut.signal;
      return fetch(new URL(path, origin), { credentials: "omit", ...init, signal });
    },

    /** From now on requests are sent, or refused; those under way end with the switch. */
    setOn(value) {
      if (!value) cut.abort(new SwitchedOff());
      else if (cut.signal.aborted) cut = new AbortController();
    },

    /** Requests to this issuer's name are from now on sent to the origin of the page. */
    setIssuer(name) {
      issuer = name;
    },
  };
}
