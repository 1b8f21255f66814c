/**
 * A second issuer, in JavaScript: signs tokens and revocation lists from docs/protocol.md alone, and serves them.
 *
 * It shares no code with the daemon, so that what both verify alike is the protocol and not a common mistake.
 */
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

export const ISSUER = "https://issuer.example";
export const AUDIENCE = "api";
/** The time the tests are at. */
export const NOW = 1_800_000_000;

/** Returns the key pair of a seed of 32 equal bytes. */
export function keyOf(byte, purpose) {
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, byte)]);
  const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const { crv, kty, x } = createPublicKey(privateKey).export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url"); // RFC 7638
  return { kid, privateKey, jwk: { kty, crv, x, kid, use: "sig", alg: "EdDSA", purpose } };
}

export const tokenKey = keyOf(1, "token");
export const listKey = keyOf(2, "revocations");

/** Returns the JWK Set of these keys; of the two above when none are named. */
export function keySet(...keys) {
  return { keys: (keys.length > 0 ? keys : [tokenKey, listKey]).map(({ jwk }) => jwk) };
}

/** Returns a signed compact serialization; text and bytes are signed as they are, anything else as JSON. */
export function jws(header, payload, key = tokenKey) {
  const part = (content) => Buffer.from(content).toString("base64url");
  const body = typeof payload === "string" || payload instanceof Uint8Array ? payload : JSON.stringify(payload);
  const input = `${part(JSON.stringify({ alg: "EdDSA", kid: key.kid, ...header }))}.${part(body)}`;
  return `${input}.${sign(null, Buffer.from(input), key.privateKey).toString("base64url")}`;
}

/** Returns the claims of a token that is valid for 15 minutes, with these on top. */
export function claimsWith(own = {}) {
  const exp = own.exp ?? NOW + 900;
  const ordinary = { iss: ISSUER, sub: "user-1", aud: AUDIENCE, client_id: "backend", iat: NOW, exp, sid: "session-1" };
  return { ...ordinary, jti: `${Math.floor(exp / 256)}.7`, ...own };
}

/** Returns an access token with these claims on top of ordinary ones; JSON text takes the place of them all. */
export function token(own = {}, header = {}, key = tokenKey) {
  return jws({ typ: "at+jwt", ...header }, typeof own === "string" ? own : claimsWith(own), key);
}

/**
 * Returns a revocation list document.
 *
 * @param {{ revoked?: Record<number, number[]>, seq?: number, cut?: object, iat?: number, exp?: number, iss?: string, key?: object, body?: Uint8Array }} [content]
 *   `revoked` holds the indices of each epoch; a `body` takes the place of the one that lists them.
 */
export function list({ revoked = {}, seq = 1, cut, iat = NOW, exp = NOW + 300, iss = ISSUER, key = listKey, body = bodyOf(revoked) } = {}) {
  const id = createHash("sha256").update(body).digest().subarray(0, 16).toString("base64url");
  const head = jws({ typ: "revlist+jwt" }, { iss, iat, exp, seq, id, ...(cut && { cut }) }, key);
  return new Uint8Array(Buffer.concat([Buffer.from(`${head}\n`), body]));
}

/** Returns the name of the state with these indices of each epoch. */
export function idOf(revoked = {}) {
  return createHash("sha256").update(bodyOf(revoked)).digest().subarray(0, 16).toString("base64url");
}

/**
 * Returns a delta document from the state `base` to the state `id`; by default a heartbeat, which names no base.
 *
 * @param {{ add?: Record<number, number[]>, base?: string, id?: string, low?: number, seq?: number, cut?: object, iat?: number, exp?: number, iss?: string, key?: object }} [content]
 *   `add` holds the indices of each epoch.
 */
export function delta({ add = {}, base = idOf(), id = base, low, seq = 2, cut, iat = NOW, exp = NOW + 300, iss = ISSUER, key = listKey } = {}) {
  const step = { ...(id !== base && { base }), low, ...(Object.keys(add).length > 0 && { add: bodyOf(add).toString("base64url") }) };
  return jws({ typ: "revdelta+jwt" }, { iss, iat, exp, seq, id, ...(cut && { cut }), ...step }, key);
}

/** Returns what a list has to revoke for this token, as `revoked`. */
export function placeOf(tokenText) {
  const { jti } = JSON.parse(Buffer.from(tokenText.split(".")[1], "base64url"));
  const [epoch, index] = jti.split(".").map(Number);
  return { [epoch]: [index] };
}

/** The body of a list; always with the Rice parameter 7, which decoders must take. */
function bodyOf(revoked) {
  const bytes = [1];
  let next = 0;
  for (const epoch of Object.keys(revoked).map(Number).sort((a, b) => a - b)) {
    const indices = [...revoked[epoch]].sort((a, b) => a - b);
    bytes.push(...varint(epoch - next), ...varint(indices.length), 7, ...riceCodes(indices, 7));
    next = epoch + 1;
  }
  return Buffer.from(bytes);
}

function varint(value) {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function riceCodes(indices, r) {
  const bits = [];
  let next = 0;
  for (const index of indices) {
    const gap = index - next;
    bits.push(...Array(gap >> r).fill(0), 1, ...Array.from({ length: r }, (_, at) => (gap >> at) & 1));
    next = index + 1;
  }
  const bytes = new Array(Math.ceil(bits.length / 8)).fill(0);
  bits.forEach((bit, at) => (bytes[at >> 3] |= bit << (at & 7)));
  return bytes;
}

/**
 * Serves what `answers` says on a free port of this machine, and returns its URL and a way to end it.
 *
 * @param {Record<string, (request, response) => void>} answers by path; a path without an answer is a 404.
 */
export async function serve(answers) {
  const server = createServer((request, response) => {
    const answer = answers[new URL(request.url, "http://localhost").pathname];
    if (answer !== undefined) return answer(request, response);
    response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}
