/**
 * What a verifier knows, as the issuer's own bytes: the key set, a full list, and the deltas applied to it since.
 *
 * From these its state is built again, after a trap or a restart, and judged again as if just fetched.
 */
import { claimsOf } from "./heads.js";

/** From here on a full list is worth fetching. */
const MANY_DELTAS = 256;
const MANY_BYTES = 512 * 1024;
/** So many times that are not kept: without a full list for so long, list and oldest deltas are given up, never the state itself. */
const BOUND = 4;

export class Documents {
  /** @type {Uint8Array} */
  keys;
  /** Null while there is none, when the deltas since have become too many to keep, or a key has gone that signed them. @type {Uint8Array | null} */
  list;
  /** Those behind the list; without one the newest, to which a list that is late may still lead. @type {Uint8Array[]} */
  deltas = [];
  /** The newest that the state was brought to by, whether or not it is kept. @type {Uint8Array | null} */
  latest;
  #length = 0;
  #endsInHeartbeat = false;

  constructor(keys, list) {
    this.keys = keys;
    this.list = list;
    this.latest = list;
  }

  /** Afterwards it is this full list that the state is built from; null gives up all that it could be built from. */
  rebase(list) {
    this.list = list;
    this.latest = list ?? this.latest;
    this.deltas = [];
    this.#length = 0;
    this.#endsInHeartbeat = false;
  }

  /** The same with a list older than the state, if deltas that are kept lead on from it: an issuer may sign faster than its lists arrive. */
  rebaseBehind(list) {
    const { seq, id } = claimsOf(list);
    const behind = this.deltas.slice(1 + this.deltas.findLastIndex((delta) => claimsOf(delta).seq <= seq));
    if (behind.length === 0) return;
    const next = claimsOf(behind[0]);
    if ((next.base ?? next.id) !== id) return;
    this.rebase(list);
    for (const delta of behind) this.append(delta);
  }

  /** Adds a delta that was applied. It takes the place of a heartbeat before it, which names no base: it left the state as it was. */
  append(delta) {
    if (this.#endsInHeartbeat) this.#length -= this.deltas.pop()?.length ?? 0;
    this.deltas.push(delta);
    this.latest = delta;
    this.#length += delta.length;
    this.#endsInHeartbeat = claimsOf(delta).base === undefined;
    while (this.deltas.length > BOUND * MANY_DELTAS || this.#length > BOUND * MANY_BYTES) {
      this.list = null;
      this.#length -= this.deltas.shift()?.length ?? 0;
    }
  }

  /** Whether a full list should take the place of list and deltas. */
  get isLong() {
    return this.list === null || this.deltas.length > MANY_DELTAS || this.#length > MANY_BYTES;
  }

  /** What the state is built from, in order; empty when that is not possible. */
  get all() {
    return this.list === null ? [] : [this.list, ...this.deltas];
  }
}
