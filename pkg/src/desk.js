/**
 * Where tokens are laid down and answers are found: fixed places in the memory of a WebAssembly instance, so that one call
 * with numbers judges a token. What lies there is described in verifier-wasm/src/desk.rs.
 *
 * An answer is an object, the claims of a token that holds, or an array, its refusal.
 */
import { place } from "../wasm/verifier.js";

/** No verifier remembers by this number. */
export const NO_SLOT = 2 ** 32 - 1;
/** The token holds. */
export const HOLDS = 1;
/** Nothing is known of it. */
export const UNKNOWN = 0;

// The lengths of the places, in the order of their numbers.
const TOKENS_LENGTH = 32_768;
const COUNT = 64;
const SCOPE_LENGTH = 8192;

const MAX_TOKEN_LENGTH = 8192;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class Desk {
  #memory;
  // Views of the memory; it has others when it has grown.
  #token;
  #tokens;
  #lengths;
  #output;
  // What the place for it holds.
  #scope = "";
  #scopeLength = 0;

  /** @param {WebAssembly.Memory} memory that of the instance in use */
  constructor(memory) {
    this.#memory = memory;
    this.#view();
  }

  /** Judges a token, which is remembered as `slot` when it holds. */
  judge(verifier, token, scope, now, slot) {
    return this.#answer(verifier.judge(this.#lay(token), this.#ask(scope), now, slot));
  }

  /** Judges some of the tokens, from `first` on, and returns the answers: at least one. */
  judgeSome(verifier, tokens, first, scope, now) {
    const some = this.#fitting(tokens, first);
    if (some.length === 1 || !this.#layAll(some.join(""))) return some.map((token) => this.judge(verifier, token, scope, now, NO_SLOT));
    some.forEach((token, at) => (this.#lengths[at] = token.length));
    return this.#answer(verifier.judgeMany(some.length, this.#ask(scope), now));
  }

  /** Asks again about the token remembered as `slot`, and returns HOLDS, UNKNOWN or its refusal. */
  recheck(verifier, slot, scope, now) {
    const length = verifier.recheck(slot, this.#ask(scope), now);
    return length === HOLDS || length === UNKNOWN ? length : this.#answer(length);
  }

  /** Returns the refusal of this length, which was answered just now. */
  refusal(length) {
    return this.#answer(length);
  }

  /** Returns the `kid` of each key in use. */
  keyIds(verifier) {
    const found = [];
    for (let length = verifier.kid(0); length !== 0; length = verifier.kid(found.length)) found.push(this.#text(length));
    return found;
  }

  /** Returns the token that was laid down last, which must have been one, as a string of its own: not a part of a request, say. */
  copy(token) {
    if (this.#token.length === 0) this.#view();
    return decoder.decode(this.#token.subarray(0, token.length));
  }

  /** Returns the length in bytes; of a token that is too long, one that is too long. */
  #lay(token) {
    if (this.#token.length === 0) this.#view();
    if (token.length <= MAX_TOKEN_LENGTH) {
      const { read, written } = encoder.encodeInto(token, this.#token);
      if (read === token.length) return written;
    }
    return this.#token.fill(0).length; // so that nothing of a former token is looked at
  }

  /** Returns whether there was room, and each character is one byte. */
  #layAll(text) {
    if (this.#token.length === 0) this.#view();
    const { read, written } = encoder.encodeInto(text, this.#tokens);
    return read === text.length && written === text.length;
  }

  /** Tokens from `first` on that may be laid down together; that one in any case. */
  #fitting(tokens, first) {
    const most = Math.min(tokens.length, first + this.#lengths.length);
    let [end, length] = [first + 1, tokens[first].length];
    while (end < most && (length += tokens[end].length) <= this.#tokens.length) end += 1;
    return tokens.slice(first, end);
  }

  /** Returns the length of the scope, which lies there from then on. */
  #ask(scope = "") {
    if (scope === this.#scope) return this.#scopeLength;
    const { read, written } = encoder.encodeInto(scope, new Uint8Array(this.#memory.buffer, place(2), SCOPE_LENGTH));
    this.#scopeLength = read === scope.length ? written : SCOPE_LENGTH + 1;
    this.#scope = scope;
    return this.#scopeLength;
  }

  /** Throws when there is no answer. */
  #answer(length) {
    return JSON.parse(this.#text(length));
  }

  #text(length) {
    if (this.#output.length === 0) this.#view();
    return decoder.decode(this.#output.subarray(0, length));
  }

  #view() {
    const { buffer } = this.#memory;
    this.#token = new Uint8Array(buffer, place(0), MAX_TOKEN_LENGTH + 1);
    this.#tokens = new Uint8Array(buffer, place(0), TOKENS_LENGTH);
    this.#lengths = new Uint32Array(buffer, place(1), COUNT);
    this.#output = new Uint8Array(buffer, place(3));
  }
}
