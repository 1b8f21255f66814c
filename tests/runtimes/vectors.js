/**
 * The vectors that every runtime is held against: those of tests/vectors, which the Rust tests make and check, and some
 * verdicts on tokens signed here by the second issuer.
 */
import { readFileSync } from "node:fs";
import { AUDIENCE, claimsWith, ISSUER, keySet, list, NOW, placeOf, token } from "./issuing.js";

/** Returns all vectors, as judge.js takes them. */
export function vectors() {
  const [verdicts, keysets, lists] = ["verdicts", "keysets", "lists"].map(committed);
  return { verdicts: [verdicts, ownVerdicts()], keysets: [keysets], lists: [lists] };
}

/** Returns how many cases there are. */
export function count({ verdicts, keysets, lists }) {
  return [...verdicts, ...keysets, ...lists].reduce((sum, { cases }) => sum + cases.length, 0);
}

function committed(name) {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
}

/** Verdicts on tokens of the second issuer, as a document in the form of verdicts.json. */
function ownVerdicts() {
  const document = { keys: { ours: keySet() }, lists: {}, cases: [] };
  for (const { name, text, expect, at = NOW, revocations = null } of ownCases()) {
    if (revocations !== null) document.lists[name] = Buffer.from(revocations).toString("base64url");
    const options = { issuer: ISSUER, audience: AUDIENCE, leeway: 5, keys: "ours", revocations: revocations && name };
    document.cases.push({ name, token: text, options, now: at, expect });
  }
  return document;
}

function ownCases() {
  const revoked = token({ jti: `${Math.floor((NOW + 900) / 256)}.300` });
  const around = { [Math.floor((NOW + 900) / 256)]: [299, 300, 301, 100_000], 3: [0] };
  const claim = (name, reason) => ({ code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: name, reason });
  const expired = { code: "ERR_JWT_EXPIRED", claim: "exp", reason: "check_failed" };
  return [
    vector("the second issuer's token holds", token(), { ok: true }),
    vector("own claims of any name are passed on", token(awkwardNames()), { ok: true }),
    vector("an index in the list is revoked", revoked, { code: "ERR_TOKEN_REVOKED", reason: "index" }, { revocations: list({ revoked: around }) }),
    vector("an index beside revoked ones is not", token(), { ok: true }, { revocations: list({ revoked: around }) }),
    vector("an empty list revokes nothing", revoked, { ok: true }, { revocations: list() }),
    vector("the whole of an epoch is found", token(), { code: "ERR_TOKEN_REVOKED", reason: "index" }, { revocations: list({ revoked: placeOf(token()) }) }),
    vector("everything until a time is revoked", token(), { code: "ERR_TOKEN_REVOKED", reason: "all" }, { revocations: list({ cut: { all: NOW } }) }),
    vector("the last second before exp and leeway", token(), { ok: true }, { at: NOW + 904 }),
    vector("the second of exp and leeway", token(), expired, { at: NOW + 905, revocations: list({ exp: NOW + 2000 }) }),
    vector("a list past its exp says nothing", token(), { code: "ERR_STATUS_STALE", reason: "expired" }, { at: NOW + 300, revocations: list() }),
    vector("a string that is no token", "a.b", { code: "ERR_JWS_INVALID", reason: "parts" }),
    vector("a string beyond ASCII", `${token()}\u{1f511}`, { code: "ERR_JWS_INVALID", reason: "base64url" }),
    vector("a lone surrogate", `${token()}\ud800`, { code: "ERR_JWS_INVALID", reason: "base64url" }),
    vector("a string of 8193 characters", "a".repeat(8193), { code: "ERR_JWS_INVALID", reason: "too_long" }),
    vector("a string of 8192 characters of two bytes", "é".repeat(8192), { code: "ERR_JWS_INVALID", reason: "too_long" }),
    vector("another token's signature", withSignatureOf(token({ sub: "user-2" })), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" }),
    vector("a token for somebody else", token({ aud: "other" }), claim("aud", "check_failed")),
    vector("a refresh token", token({}, { typ: "rt+jwt" }), claim("typ", "check_failed")),
  ];
}

function vector(name, text, expect, more) {
  return { name, text, expect, ...more };
}

/** As JSON text: `__proto__` in an object literal would set the prototype and not a member. */
function awkwardNames() {
  return JSON.stringify(claimsWith({ constructor: 1, "": 2 })).replace(/}$/, ',"__proto__":{"admin":true}}');
}

function withSignatureOf(other) {
  return [...token().split(".").slice(0, 2), other.split(".")[2]].join(".");
}
