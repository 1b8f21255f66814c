/**
 * Attacks that need no key: each takes a genuine token and gives the text an attacker would send. Every
 * one must be refused; the name of each says what it tries.
 *
 * @module tamper
 */

import { readToken, writePart } from "./jws.js";

const MAX_TOKEN_BYTES = 8192;

/** The token with another header and the rest as it was. */
function withHeader(text, change) {
  const { parts, header } = readToken(text);
  return [writePart(change({ ...header })), ...parts.slice(1)].join(".");
}

/** The token with other claims and the rest as it was. */
function withClaims(text, change) {
  const { parts, claims } = readToken(text);
  return [parts[0], writePart(change({ ...claims })), ...parts.slice(2)].join(".");
}

/** The last character but five becomes another one, so that the signature's bytes differ. */
function flipSignature(text) {
  const at = Math.max(0, text.length - 6);
  const other = text[at] === "A" ? "B" : "A";
  return text.slice(0, at) + other + text.slice(at + 1);
}

/**
 * The attacks offered on the page, in the order of the checks they run into.
 *
 * @type {ReadonlyArray<{id: string, label: string, story: string, apply(text: string): string}>}
 */
export const ATTACKS = Object.freeze([
  { id: "oversize", label: "Blow it up", story: "The token is longer than 8 KiB.", apply: (text) => text + "A".repeat(MAX_TOKEN_BYTES) },
  { id: "unsigned", label: "Cut the signature off", story: "Two parts are left of three.", apply: (text) => text.split(".").slice(0, 2).join(".") },
  { id: "padded", label: "Add padding", story: "A “=” follows: another spelling of the same bytes.", apply: (text) => `${text}=` },
  { id: "none", label: "alg: none", story: "The header says that no signature is needed.", apply: (text) => withHeader(text, (header) => ({ ...header, alg: "none" })) },
  { id: "type", label: "Another type", story: "The token pretends to be of another type.", apply: (text) => withHeader(text, (header) => ({ ...header, typ: "JWT" })) },
  { id: "key", label: "Bring a key", story: "The header brings a key of its own (jwk).", apply: (text) => withHeader(text, (header) => ({ ...header, jwk: { kty: "OKP", crv: "Ed25519", x: "A".repeat(43) } })) },
  { id: "kid", label: "Unknown key", story: "The header names a key the issuer never published.", apply: (text) => withHeader(text, (header) => ({ ...header, kid: "../../etc/passwd" })) },
  { id: "role", label: "Become an admin", story: "The claims now say roles: admin.", apply: (text) => withClaims(text, (claims) => ({ ...claims, roles: ["admin"] })) },
  { id: "longer", label: "Live a year longer", story: "The claims now expire a year later.", apply: (text) => withClaims(text, (claims) => ({ ...claims, exp: Number(claims.exp) + 31_536_000 })) },
  { id: "signature", label: "Change a character", story: "One character of the signature is another.", apply: flipSignature },
]);
