/**
 * What a verifier knows as one run of bytes, for a store.
 *
 *     "countersign state 1\n"  u32 check  *( u32 length, bytes )      numbers with the highest byte first
 *     parts   issuer, key set, full list, each delta; an absent one has the length 0
 *
 * The check (FNV-1a of everything behind it) tells damage, not malice: the list is signed, and whoever can change the
 * key set in a store could as well change the program that reads it.
 */
import { MAX_KEYS_LENGTH, MAX_LIST_LENGTH } from "./sources.js";

const MAGIC = new TextEncoder().encode("countersign state 1\n");
const MAX_DELTAS = 4096;
/** No more than can have been written. */
const MAX_LENGTH = MAX_KEYS_LENGTH + MAX_LIST_LENGTH + 8 * 1024 * 1024;

/** Returns the documents of this issuer's verifier as bytes. */
export function packed(issuer, { keys, list, deltas }) {
  const parts = [new TextEncoder().encode(issuer), keys, list ?? new Uint8Array(0), ...deltas];
  const start = MAGIC.length + 4;
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + 4 + length, start));
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  let at = start;
  for (const part of parts) {
    view.setUint32(at, part.length);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  view.setUint32(MAGIC.length, checkOf(bytes.subarray(start)));
  return bytes;
}

/**
 * Returns the documents in `bytes`, of which nothing has been verified.
 *
 * @throws {Error} They are not what `packed` made for a verifier of this issuer.
 */
export function unpacked(issuer, bytes) {
  const fail = (why) => new Error(`the stored state ${why}`);
  if (!(bytes instanceof Uint8Array)) throw fail("is no Uint8Array");
  const start = MAGIC.length + 4;
  if (bytes.length > MAX_LENGTH || bytes.length < start) throw fail("has an impossible length");
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) throw fail("has another format");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(MAGIC.length) !== checkOf(bytes.subarray(start))) throw fail("is damaged");
  const parts = [];
  for (let at = start; at < bytes.length; at += 4 + parts.at(-1).length) {
    const length = at + 4 <= bytes.length ? view.getUint32(at) : Infinity;
    if (at + 4 + length > bytes.length || parts.length > MAX_DELTAS) throw fail("is cut off");
    parts.push(bytes.slice(at + 4, at + 4 + length));
  }
  const [of, keys, list, ...deltas] = parts;
  if (list === undefined) throw fail("is cut off");
  if (new TextDecoder().decode(of) !== issuer) throw fail("is another issuer's");
  return { keys, list: list.length === 0 ? null : list, deltas };
}

function checkOf(bytes) {
  let check = 0x811c9dc5;
  for (const byte of bytes) check = Math.imul(check ^ byte, 0x01000193);
  return check >>> 0;
}
