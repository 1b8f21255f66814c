/**
 * Reading a token to show it. Nothing is checked here and nothing read here is believed: the verdict
 * comes from the verifier alone.
 *
 * @module jws
 */

const STRICT = /^[A-Za-z0-9_-]*$/;

/** The bytes of an unpadded base64url text, or null when it is not one. */
export function decodeBase64url(text) {
  if (!STRICT.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** The unpadded base64url text of these bytes. */
export function encodeBase64url(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The JSON object a part of a token spells, or null when it spells none. */
export function readPart(part) {
  const bytes = decodeBase64url(part);
  if (bytes === null) return null;
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** The part that spells this JSON object. */
export const writePart = (value) => encodeBase64url(new TextEncoder().encode(JSON.stringify(value)));

/**
 * The parts of a text that may be a token.
 *
 * @param {string} text
 * @returns {{parts: string[], header: object | null, claims: object | null}}
 */
export function readToken(text) {
  const parts = text.split(".");
  return { parts, header: readPart(parts[0] ?? ""), claims: parts.length > 1 ? readPart(parts[1]) : null };
}
