/**
 * A verifier as callers hold it: judges by its state, and tells what happens to that. What brings it up to date is updating.js.
 */
import { authenticate } from "./authenticate.js";
import { UsageError, VerificationError } from "./errors.js";
import { VerifierEvent, VerifierEvents } from "./events.js";
import { refreshSettings, seconds, verifySettings } from "./options.js";
import { platform } from "./platform.js";
import { Updating } from "./updating.js";

/** The clock may be set meanwhile: whether the list is too old is looked at this often. */
const LOOK_EVERY_SECONDS = 60;

export class Verifier extends VerifierEvents {
  #settings;
  #state; // undefined once closed
  /** @type {Updating} */
  #updating;
  #cancelLook;
  #isStale;

  /**
   * @param {ReturnType<typeof import("./options.js").verifierSettings>} settings
   * @param {import("./state.js").State} state
   * @param {ConstructorParameters<typeof Updating>[2]} origin
   */
  constructor(settings, state, origin) {
    super();
    this.#settings = settings;
    this.#state = state;
    this.#isStale = state.isStale();
    const owner = {
      state: () => this.#living(),
      documents: () => this.#state?.documents,
      now: () => this.#now(),
      isStale: () => this.#living().isStale(),
      tell: (type, detail) => this.#tell(type, detail),
      listChanged: () => this.#look(),
    };
    this.#updating = new Updating(settings, owner, origin);
    this.#lookLater();
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
    this.#living(); // also where the request has no token to judge
    return authenticate(this, this.#settings.scope, request, options);
  }

  async refresh(options) {
    const settings = refreshSettings(options);
    this.#living();
    return this.#updating.refresh(settings);
  }

  get status() {
    const { transport, lastContact, lastError, storeError } = this.#updating;
    return Object.freeze({ ...this.#report(), transport, lastContact, lastError, storeError });
  }

  /** A refresh under way is not aborted: in Workers it may be another request's, which must not be reached into. */
  close() {
    if (this.#state === undefined) return;
    this.#updating.close();
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
    const state = this.#living();
    const { notBefore, ...known } = state.status();
    known.keys = Object.freeze(known.keys);
    // As in a judgement: a clock that runs behind revives nothing.
    const age = known.seq === null ? null : Math.max(this.#now(), notBefore) - known.issuedAt;
    return { ...known, age, stale: state.isStale() };
  }

  #notice({ code }) {
    if (code === "ERR_STATUS_STALE") this.#look();
    if (code === "ERR_JWKS_NO_MATCHING_KEY") this.#updating.wantKeys();
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
    if (this.#state === undefined || !this.#updating?.isFollowing || this.#settings.revocations === null) return;
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
