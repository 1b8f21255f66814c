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
  const end = document.indexOf(LINE_FEED);
  const [, claims] = new TextDecoder().decode(end === -1 ? document : document.subarray(0, end)).split(".");
  return JSON.parse(new TextDecoder().decode(bytesOf(claims)));
}

/** Whether a delta leaves the state as it was, and only signs it again. */
export function isHeartbeat({ base, id }) {
  return base === undefined || base === id;
}

function bytesOf(base64url) {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
