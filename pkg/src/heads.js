/**
 * What an authentic document of the issuer says of itself, where the module does not tell.
 *
 * Only for documents that the module has taken: nothing is checked here.
 */
const LINE_FEED = 10;

/** Whether this is a full list; a delta has no line feed. */
export function isFull(document) {
  return document.includes(LINE_FEED);
}

/** Returns the claims of a document's head. */
export function claimsOf(document) {
  return partOf(document, 1);
}

/** Returns the `kid` of the key that has signed a document. */
export function signerOf(document) {
  return partOf(document, 0).kid;
}

function partOf(document, number) {
  const end = document.indexOf(LINE_FEED);
  const parts = new TextDecoder().decode(end === -1 ? document : document.subarray(0, end)).split(".");
  return JSON.parse(new TextDecoder().decode(bytesOf(parts[number])));
}

function bytesOf(base64url) {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
