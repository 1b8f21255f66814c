/**
 * The wire between this page and the issuer, and the switch that cuts it. All requests of the page and
 * of the verifier go through the `fetch` made here; with the switch off nothing is sent at all.
 *
 * @module network
 */

/** The page's own switch refused a request before it was sent. */
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
  let on = true;
  let issuer = origin;

  return {
    /**
     * Sends a request unless the switch is off. Requests to the issuer's name go to the daemon that served
     * this page: it may be reached by another name (`localhost`) than the one in its tokens.
     */
    async fetch(resource, init) {
      if (!on) throw new SwitchedOff();
      const address = String(resource);
      const path = address.startsWith(`${issuer}/`) ? address.slice(issuer.length) : address;
      return fetch(new URL(path, origin), { credentials: "omit", ...init });
    },

    /** From now on requests are sent, or refused. */
    setOn(value) {
      on = value;
    },

    /** Requests to this issuer's name are from now on sent to the origin of the page. */
    setIssuer(name) {
      issuer = name;
    },
  };
}
