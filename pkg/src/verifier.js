/**
 * A verifier as callers hold it: judges by its state, brings that up to date, and tells what happens to it.
 */
import { authenticate } from "./authenticate.js";
import { ListError, UsageError, VerificationError } from "./errors.js";
import { VerifierEvent, VerifierEvents } from "./events.js";
import { Follower } from "./follower.js";
import { claimsOf, isFull } from "./heads.js";
import { refreshSettings, seconds, verifySettings } from "./options.js";
import { platform } from "./platform.js";
import { RefreshGate } from "./refresh-gate.js";
import { Sources } from "./sources.js";

const ALARMS = ["ERR_REVLIST_FUTURE", "ERR_REVLIST_EQUIVOCATION"];
/** The clock may be set meanwhile: whether the list is too old is looked at this often. */
const LOOK_EVERY_SECONDS = 60;

export class Verifier extends VerifierEvents {
  #settings;
  #state; // undefined once closed
  #follower;
  #saver;
  #gate = new RefreshGate();
  #cancelLook;
  #cut; // the cut rules of the list in use, as JSON
  #id; // what names the state of the list in use
  #isStale;
  /** @type {number | null} */
  #lastContact = null;
  /** @type {unknown} */
  #lastError = null;
  #turns = 0; // fetches of the key set begun so far
  #keysFrom = 0; // the one that brought the key set in use

  /**
   * @param {ReturnType<typeof import("./options.js").verifierSettings>} settings
   * @param {import("./state.js").State} state
   * @param {{ isFetched: boolean, lastError?: unknown, saver?: import("./saver.js").Saver }} origin
   *   `isFetched` is whether the state is what the issuer said just now
   */
  constructor(settings, state, { isFetched, lastError = null, saver }) {
    super();
    this.#settings = settings;
    this.#state = state;
    this.#lastError = lastError;
    this.#saver = saver;
    const { list, deltas } = state.documents;
    if (list !== null) this.#remember(claimsOf(deltas.at(-1) ?? list));
    this.#isStale = this.#report().stale;
    saver?.watches(() => this.#toSave());
    if (isFetched) {
      this.#isUpToDate();
      this.#gate.keysFetched(Date.now());
      saver?.changed({ urgent: true });
    }
    if (settings.follow) this.#follow(isFetched);
  }

  verify(token, options) {
    if (typeof token !== "string") throw new UsageError("verify takes the token as a string");
    const { scope, now = this.#now() } = verifySettings(options, "verify");
    try {
      return this.#living().verify(token, now, scope);
    } catch (error) {
      if (error instanceof VerificationError) this.#notice(error);
      throw error;
    }
  }

  verifyMany(tokens, options) {
    if (!Array.isArray(tokens)) throw new UsageError("verifyMany takes the tokens as an array");
    const given = [...tokens];
    if (!given.every((token) => typeof token === "string")) throw new UsageError("verifyMany takes each token as a string");
    const { scope, now = this.#now() } = verifySettings(options, "verifyMany");
    const verdicts = this.#living().verifyMany(given, now, scope);
    for (const { error } of verdicts) if (error !== undefined) this.#notice(error);
    return verdicts;
  }

  authenticate(request, options) {
    return authenticate(this, this.#settings.scope, request, options);
  }

  async refresh(options) {
    const { signal, olderThanMillis } = refreshSettings(options);
    this.#living();
    const { fetchesKeys, fetchesRevocations } = this.#settings;
    if (!fetchesKeys && !fetchesRevocations) throw new UsageError("there is nothing to fetch: keys and revocations were given");
    if (olderThanMillis === undefined) return this.#fetchBoth({ keys: fetchesKeys, list: fetchesRevocations }, (sources) => sources.list(signal), signal);
    const due = this.#gate.claim({ now: Date.now(), olderThanMillis, isStale: this.#report().stale });
    const wanted = { keys: due.keys && fetchesKeys, list: due.list && fetchesRevocations };
    if (!wanted.keys && !wanted.list) return;
    try {
      await this.#fetchBoth(wanted, (sources) => this.#newest(sources, signal), signal);
      this.#gate.release();
    } catch (error) {
      this.#gate.failed(Date.now());
      throw error;
    }
  }

  get status() {
    const transport = this.#follower?.transport ?? "none";
    const [lastContact, lastError] = [this.#lastContact, this.#lastError];
    return Object.freeze({ ...this.#report(), transport, lastContact, lastError, storeError: this.#saver?.error ?? null });
  }

  /** A refresh under way is not aborted: in Workers it may be another request's, which must not be reached into. */
  close() {
    if (this.#state === undefined) return;
    this.#follower?.close();
    this.#saver?.close();
    this.#cancelLook?.();
    this.#state.free();
    this.#state = undefined;
  }

  #now() {
    return seconds(this.#settings.now());
  }

  #living() {
    if (this.#state === undefined) throw new UsageError("the verifier has been closed");
    return this.#state;
  }

  /** What is known of keys and list, and how old it is. */
  #report() {
    const { notBefore, ...known } = this.#living().status();
    known.keys = Object.freeze(known.keys);
    const isAsked = this.#settings.revocations !== null;
    if (known.seq === null) return { ...known, age: null, stale: isAsked };
    const at = Math.max(this.#now(), notBefore); // as in a judgement: a clock that runs behind revives nothing
    return { ...known, age: at - known.issuedAt, stale: at >= known.usableUntil };
  }

  #notice({ code }) {
    if (code === "ERR_STATUS_STALE") this.#look();
    if (code !== "ERR_JWKS_NO_MATCHING_KEY") return;
    this.#gate.wantKeys();
    this.#follower?.wantKeys();
  }

  /** Fetches keys, list or both; each is taken if it can be, whatever becomes of the other, and the keys first. */
  async #fetchBoth({ keys, list }, fetchList, signal) {
    const sources = new Sources(this.#settings);
    const turn = (this.#turns += 1);
    const fetched = await Promise.allSettled([keys ? sources.keys(signal) : undefined, list ? fetchList(sources) : undefined]);
    const failures = [
      await reasonAgainst(fetched[0], (bytes) => this.#takeKeys(bytes, turn)),
      await reasonAgainst(fetched[1], (bytes) => this.#takeFetched(bytes, sources, signal)),
    ];
    await this.#saver?.settle();
    const failure = failures.find((error) => error !== undefined);
    if (failure !== undefined) throw failure;
  }

  /** Returns the delta that leads to the newest list, or that list. */
  async #newest(sources, signal) {
    const { seq } = this.#living().status();
    return (seq === null ? undefined : await sources.delta(seq, signal)) ?? sources.list(signal);
  }

  async #takeFetched(bytes, sources, signal) {
    let outcome = this.#take(bytes);
    if (outcome === "gap") outcome = this.#take(await sources.list(signal)); // a delta of another list than was held meanwhile
    if (outcome !== "older") this.#isUpToDate();
  }

  #takeKeys(bytes, turn) {
    if (turn < this.#keysFrom) return; // a fetch begun later was answered sooner
    this.#living().takeKeys(bytes);
    this.#keysFrom = turn;
    this.#gate.keysFetched(Date.now());
    this.#saver?.changed({ urgent: false });
  }

  /** Takes a full list or a delta, and tells what that changes. */
  #take(bytes) {
    const state = this.#living();
    const { entries: before } = state.status();
    let outcome;
    try {
      outcome = state.take(bytes);
    } catch (error) {
      if (error instanceof ListError && error.reason === "signature") this.#gate.wantKeys(); // by a key that is new, perhaps
      if (error instanceof ListError && ALARMS.includes(error.code)) this.#tell("alarm", { error });
      throw error;
    }
    if (outcome === "newer") this.#grown(bytes, before ?? 0);
    return outcome;
  }

  #grown(bytes, before) {
    const claims = claimsOf(bytes);
    const { seq, entries } = this.#living().status();
    const [cut, id] = [this.#cut, this.#id];
    this.#remember(claims);
    const hasEntries = isFull(bytes) ? id !== claims.id : claims.add !== undefined;
    const grows = hasEntries || (this.#cut !== cut && this.#cut !== undefined);
    this.#saver?.changed({ urgent: grows });
    // Entries that are over drop out with the same document.
    if (grows) this.#tell("revoked", { seq, entries, added: Math.max(0, entries - before) });
    this.#look();
  }

  #remember({ cut, id }) {
    this.#cut = JSON.stringify(cut);
    this.#id = id;
  }

  /** Undefined when the state could not be built again from its documents. */
  #toSave() {
    const documents = this.#state?.documents;
    return documents?.list === null && this.#settings.fetchesRevocations ? undefined : documents;
  }

  /** The issuer has been heard, and what it says is held. */
  #isUpToDate() {
    this.#lastContact = this.#now();
    this.#lastError = null;
    this.#gate.checked(Date.now());
  }

  #follow(isFetched) {
    const { fetchesKeys, fetchesRevocations, pollMillis } = this.#settings;
    const sources = new Sources(this.#settings, { background: true });
    const seq = () => this.#living().status().seq;
    let turn;
    const world = {
      now: Date.now,
      random: Math.random,
      later: platform.later,
      onWaking: platform.onWaking,
      keys: (signal) => {
        turn = this.#turns += 1;
        return sources.keys(signal);
      },
      list: (signal) => sources.list(signal),
      delta: (signal) => sources.delta(seq(), signal),
      events: (signal, onEvent) => sources.events(seq() ?? 0, signal, onEvent),
    };
    const target = {
      seq,
      wantsList: () => this.#living().documents.isLong,
      take: (bytes) => this.#take(bytes),
      takeKeys: (bytes) => this.#takeKeys(bytes, turn),
      failed: (error) => (this.#lastError = error),
      contacted: () => this.#isUpToDate(),
    };
    this.#follower = new Follower(target, world, { pollMillis, keys: fetchesKeys, list: fetchesRevocations });
    this.#follower.start({ atOnce: !isFetched });
    this.#lookLater();
  }

  /** Whether the list has become too old, or usable again, is told when it happens. */
  #look() {
    if (this.#state === undefined) return;
    const { stale, seq, usableUntil } = this.#report();
    const was = this.#isStale;
    this.#isStale = stale;
    if (stale !== was) this.#tell(stale ? "stale" : "recovered", { seq, usableUntil });
    this.#lookLater();
  }

  #lookLater() {
    this.#cancelLook?.();
    if (this.#state === undefined || this.#follower === undefined || this.#settings.revocations === null) return;
    const { usableUntil } = this.#report();
    const left = usableUntil === null ? 0 : usableUntil - this.#settings.now();
    const wait = left > 0 && left < LOOK_EVERY_SECONDS ? left : LOOK_EVERY_SECONDS;
    this.#cancelLook = platform.later(() => this.#lookInBackground(), wait * 1000 + 1);
  }

  /** Nobody hears what is thrown here; whoever verifies will, of a clock that fails say. */
  #lookInBackground() {
    try {
      this.#look();
    } catch {
      this.#cancelLook = platform.later(() => this.#lookInBackground(), LOOK_EVERY_SECONDS * 1000);
    }
  }

  #tell(type, detail) {
    this.dispatchEvent(new VerifierEvent(type, detail));
  }
}

/**
 * Returns why a document was not fetched or not taken; undefined when it was, or was not asked for.
 *
 * @param {PromiseSettledResult<Uint8Array | undefined>} fetched
 * @param {(bytes: Uint8Array) => unknown} take
 */
async function reasonAgainst(fetched, take) {
  if (fetched.status === "rejected") return fetched.reason;
  try {
    if (fetched.value !== undefined) await take(fetched.value);
    return undefined;
  } catch (error) {
    return error;
  }
}
