/**
 * What the verifier is told by its issuer while the page is open, written into the state and the log: each
 * list that arrives, by which way, and how long after a revocation was answered.
 *
 * The verifier follows by itself; here nothing is fetched.
 *
 *     feed     [{number, at, kind, text}]  newest first: "revoked" | "stale" | "recovered" | "alarm" | "way"
 *     trail    the same as a picture (trail.js), with each list signed anew
 *     latency  {millis, refused, own} | null    from a revocation's answer to its list, here; below 0 when the list
 *              was here first. `refused` is the token that this refused, or null; `own` whether this page had asked
 *
 * @module following
 */

import { wireReason } from "./availability.js";
import { counted, millis as inMillis } from "./format.js";
import { extend, wayOf } from "./trail.js";

/** How many entries the feed keeps; the log has more. */
const FEED_CAPACITY = 6;
/** How many arrivals are remembered, for answers that come after the list they speak of. */
const ARRIVALS = 64;
/** Lists that arrive within this of one told in the log are told together. */
const GATHER_MS = 1000;
const EVENTS = Object.freeze(["revoked", "stale", "recovered", "alarm"]);

/** Follows what one verifier after the other is told. */
export class Following {
  #parts;
  #verifier = null;
  #listening = new AbortController();
  #known = null; // {seq, rules} of the list noted last
  #arrivals = []; // {seq, at, refused}: `refused` is the token that this list has changed the verdict of, or null
  #awaited = []; // {seq, at, own}
  #gathered = null;
  #number = 0;

  /** @param {{store: object, record: Function, clock: object}} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** From now on this verifier is followed and no other; `judge` is called when its mind may have changed. */
  attach(verifier, judge) {
    this.#listening.abort();
    this.#listening = new AbortController();
    this.#verifier = verifier;
    const { signal } = this.#listening;
    for (const type of EVENTS) {
      verifier.addEventListener(type, ({ detail }) => {
        const before = this.#revokedToken();
        this.#on(type, detail);
        judge();
        const refused = this.#revokedToken();
        if (type === "revoked" && refused !== before) this.#arrivals.at(-1).refused = refused;
        this.#settle();
        queueMicrotask(() => this.look()); // the verifier notes the contact itself only after it has told of it
      }, { signal });
    }
    this.look();
  }

  /** What the verifier knows is in the state; a list that came quietly and a change of the way are noted. */
  look() {
    if (this.#verifier === null) return;
    const { store, clock } = this.#parts;
    const list = { ...this.#verifier.status };
    if (!sameStatus(store.read().list, list)) store.change({ list });
    this.#noteWay(list);
    const known = this.#known;
    if (list.seq === null || list.seq === known?.seq) return;
    this.#arrived(list);
    this.#trail({ at: clock.milliseconds(), kind: known === null ? "first" : "heartbeat", seq: list.seq });
    this.#settle();
  }

  /**
   * A revocation was answered with this list: once it is here it is told how long that took.
   *
   * @param {{seq: number, at: number, own: boolean}} answer `at`: by the clock that tabs share; `own`: asked for by this page
   */
  expect(answer) {
    this.#awaited.push(answer);
    this.#settle();
  }

  #on(type, detail) {
    const { store, clock } = this.#parts;
    const at = clock.milliseconds();
    const list = { ...this.#verifier.status };
    store.change({ list });
    this.#noteWay(list);
    if (type === "revoked") this.#onRevoked(detail, list, at);
    else {
      this.#trail({ at, kind: type });
      this.#feed(at, type, TOLD[type](detail));
      this.#parts.record({ side: "verifier", tone: type === "recovered" ? "good" : "bad", text: TOLD[type](detail), code: codeOf(type, detail) });
    }
  }

  #onRevoked({ seq, entries, added }, list, at) {
    const rules = Math.max(0, (list.rules ?? 0) - (this.#known?.rules ?? 0));
    this.#arrived(list);
    this.#trail({ at, kind: "revoked", seq, added, rules });
    this.#feed(at, "revoked", `${more(added, rules)} in list ${seq}`);
    this.#gather({ seq, entries, added, rules });
  }

  /** The log has the first of many at once and the others together: it is read aloud to some. */
  #gather({ seq, entries, added, rules }) {
    const { record, clock } = this.#parts;
    if (this.#gathered !== null) {
      const { lists, ...sum } = this.#gathered;
      this.#gathered = { seq, entries, added: sum.added + added, rules: sum.rules + rules, lists: lists + 1 };
      return;
    }
    record({ side: "verifier", text: `List ${seq} came by itself: ${more(added, rules)}, ${counted(entries, "token", "tokens")} in all.` });
    this.#gathered = { added: 0, rules: 0, lists: 0 };
    clock.pause(GATHER_MS).then(() => {
      const rest = this.#gathered;
      this.#gathered = null;
      if (rest.lists > 0) this.#gather(rest);
    });
  }

  #noteWay({ transport, lastError }) {
    const { store, record, clock } = this.#parts;
    const state = store.read();
    const isCut = wireReason(state) !== null || transport === "none" || (transport === "poll" && lastError !== null);
    const way = isCut ? "cut" : transport;
    const before = wayOf(state.trail);
    if (way === before) return;
    const at = clock.milliseconds();
    this.#trail({ at, kind: "way", way });
    if (before === null) return;
    this.#feed(at, "way", WAYS[way]);
    if (wireReason(state) === null) record({ side: "network", text: `${WAYS[way]}.` });
  }

  #arrived({ seq, rules }) {
    this.#known = { seq, rules };
    this.#arrivals = [...this.#arrivals, { seq, at: this.#parts.clock.shared(), refused: null }].slice(-ARRIVALS);
  }

  /** Tells how long each awaited list that is here took. */
  #settle() {
    const held = this.#known?.seq ?? 0;
    const here = this.#awaited.filter(({ seq }) => seq <= held);
    this.#awaited = this.#awaited.filter(({ seq }) => seq > held);
    for (const { seq, at, own } of here) {
      const arrival = this.#arrivals.find((past) => past.seq >= seq);
      if (arrival !== undefined) this.#tellLatency(arrival.at - at, arrival.refused, own);
    }
  }

  /** The token on the page when it is refused as revoked. */
  #revokedToken() {
    const { verdict } = this.#parts.store.read();
    return verdict.code === "ERR_TOKEN_REVOKED" ? verdict.token : null;
  }

  #tellLatency(millis, refused, own) {
    const { store, record } = this.#parts;
    store.change({ latency: { millis, refused, own } });
    const what = refused === null ? "The list that says so was here by itself" : "This page refused the token by itself";
    const when = millis < 0 ? "before the issuer had answered" : `${inMillis(millis)} after the issuer answered`;
    record({ side: "verifier", tone: "good", text: `${what}, ${when}${own ? "" : " another tab"}.` });
  }

  #trail(entry) {
    const { store } = this.#parts;
    store.change({ trail: extend(store.read().trail, entry) });
  }

  #feed(at, kind, text) {
    const { store } = this.#parts;
    const entry = Object.freeze({ number: (this.#number += 1), at, kind, text });
    store.change({ feed: Object.freeze([entry, ...store.read().feed].slice(0, FEED_CAPACITY)) });
  }
}

const WAYS = Object.freeze({
  stream: "The issuer’s stream is up: news arrive by themselves",
  poll: "No stream: the issuer is asked every few seconds",
  cut: "Cut off: nothing comes from the issuer, and the list held counts until its end",
});

const TOLD = Object.freeze({
  stale: () => "The list held is too old: every token is refused until there is a newer one",
  recovered: ({ seq }) => `List ${seq} is young enough: tokens are judged again`,
  alarm: ({ error }) => `Alarm: ${error.message}. Tell the issuer’s operator`,
});

const codeOf = (type, { error }) => (type === "stale" ? "ERR_STATUS_STALE" : error?.code ?? null);

/** How much more a list revokes. */
function more(added, rules) {
  const parts = [added > 0 ? counted(added, "more token", "more tokens") : null, rules > 0 ? counted(rules, "more rule", "more rules") : null];
  return parts.filter(Boolean).join(" and ") || "other tokens revoked than before";
}

/** Whether two statuses say the same, of which one may be none. */
function sameStatus(one, other) {
  return one !== null && Object.keys(other).every((member) => String(one[member]) === String(other[member]));
}
