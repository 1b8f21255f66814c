/**
 * Tokens that were accepted, so that judging one again costs no signature. What is kept here never decides: each has a
 * slot by which the WebAssembly side is asked, each time, whether it still holds.
 *
 * There are two generations. When the newer one is half of all, the older one is dropped and the newer one becomes the
 * older; what is asked for in the older one moves to the newer. So what is in use stays, and finding it orders nothing.
 */

/** Characters of a signature by which a token is looked for: hashing all of it would take longer than all else. */
const TAIL_LENGTH = 43;

/** @typedef {{ token: string, slot: number, claims: object }} Entry */

export class Cache {
  #size;
  /** @type {Map<string, Entry>} */
  #newer = new Map();
  /** @type {Map<string, Entry>} */
  #older = new Map();
  #vacant = []; // slots given back
  #unused = 0; // the slots from here on never were in use

  /** @param {number} size how many tokens are kept at most; their slots are 0 up to that */
  constructor(size) {
    this.#size = size;
  }

  /** Returns the entry of this very token. */
  find(token) {
    const tail = tailOf(token);
    const entry = this.#newer.get(tail);
    if (entry !== undefined) return entry.token === token ? entry : undefined;
    const older = this.#older.get(tail);
    if (older === undefined || older.token !== token) return undefined;
    this.#older.delete(tail);
    if (this.#isFull()) this.#age();
    this.#newer.set(tail, older);
    return older;
  }

  /** Returns a slot for a token that may be kept; it stays vacant until one is. */
  vacancy() {
    if (this.#isFull()) this.#age();
    if (this.#vacant.length === 0 && this.#unused === this.#size) this.#age();
    return this.#vacant.at(-1) ?? this.#unused;
  }

  /** Keeps a token in the slot that `vacancy` has returned just before; what was kept of it, or as it, is dropped. */
  keep(token, claims) {
    const slot = this.#vacant.pop() ?? this.#unused++;
    const tail = tailOf(token);
    for (const generation of [this.#newer, this.#older]) {
      const former = generation.get(tail);
      if (former === undefined) continue;
      generation.delete(tail);
      this.#vacant.push(former.slot);
    }
    this.#newer.set(tail, { token, slot, claims });
  }

  clear() {
    this.#newer = new Map();
    this.#older = new Map();
    this.#vacant = [];
    this.#unused = 0;
  }

  #isFull() {
    return this.#newer.size * 2 >= this.#size && this.#newer.size > 0;
  }

  #age() {
    for (const { slot } of this.#older.values()) this.#vacant.push(slot);
    this.#older = this.#newer;
    this.#newer = new Map();
  }
}

function tailOf(token) {
  return token.slice(-TAIL_LENGTH);
}
