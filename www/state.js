/**
 * The state of the page and the store that holds it. What is shown follows from this value alone; the
 * client secret is not part of it (see api.js).
 *
 *     issuer, ready       what the issuer says of itself: its name; true, false, or null when unknown
 *     client              the id signed in with, or null
 *     networkOn           the switch of this page; online is what the browser says of the machine
 *     busy                the action under way, or null
 *     notices             per place on the page, the last failure there and what to do about it
 *     pair                the pair in use (pair.js), or null
 *     exchange            what the last refresh or retry showed, or null
 *     text                the token in the editor, exactly as it stands there
 *     source              the genuine token that tampering starts from and restoring returns to
 *     audience, scope     what the verifier asks of a token; asOf moves its clock, in seconds
 *     verdict             what the verifier says of `text` now (judging.js)
 *     timing              the last measurement of `text`, or null when it was not measured
 *     list                what the verifier says of the list it holds and how news of it arrive, or null
 *     trail, feed         what has lately happened to it (following.js): to draw, and to read
 *     latency             how long the last revocation took to be in force here, or null
 *     armed               whether the next press of “Revoke everything” does so
 *     log                 what happened (log.js)
 *
 * @module state
 */

export const INITIAL = Object.freeze({
  issuer: null,
  ready: null,
  client: null,
  networkOn: true,
  online: true,
  busy: null,
  notices: Object.freeze({}),
  pair: null,
  exchange: null,
  text: "",
  source: "",
  audience: "api",
  scope: "",
  asOf: 0,
  verdict: Object.freeze({ kind: "none" }),
  timing: null,
  list: null,
  trail: Object.freeze([]),
  feed: Object.freeze([]),
  latency: null,
  armed: false,
  log: Object.freeze([]),
});

/**
 * A store that tells its listeners once after each run of changes.
 *
 * @param {object} initial
 * @param {(task: () => void) => void} schedule runs its argument soon, for example `queueMicrotask`
 */
export function createStore(initial, schedule) {
  let state = initial;
  let waiting = false;
  const listeners = new Set();

  const tell = () => {
    waiting = false;
    for (const listener of listeners) listener(state);
  };

  return {
    /** The present state. */
    read: () => state,

    /** The state has these members replaced, and listeners will be told. */
    change(members) {
      state = Object.freeze({ ...state, ...members });
      if (waiting) return;
      waiting = true;
      schedule(tell);
    },

    /** `listener` is called with the state now and after every change. */
    watch(listener) {
      listeners.add(listener);
      listener(state);
    },
  };
}
