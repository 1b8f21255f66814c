/**
 * One session as this page knows it: the pair in use, the refresh tokens spent before it, and where the
 * three clocks started. Pure; times are Unix seconds.
 *
 * @module pair
 */

import { readToken } from "./jws.js";

/** Where the two clocks of a fresh pair start and end. The access token's own claims win over `expires_in`. */
function clocksOf(body, now) {
  const { claims } = readToken(body.access_token);
  const accessUntil = Number.isInteger(claims?.exp) ? claims.exp : now + body.expires_in;
  const accessFrom = Number.isInteger(claims?.iat) ? claims.iat : now;
  return { accessFrom, accessUntil, idleFrom: now, idleUntil: now + body.refresh_expires_in };
}

/**
 * The session that a mint has started.
 *
 * @param {{text: string, body: object}} answer the issuer's answer, as sent and as read
 * @param {number} now
 */
export function startPair({ text, body }, now) {
  return Object.freeze({
    sid: body.sid,
    access: body.access_token,
    refresh: body.refresh_token,
    answer: text,
    generation: 0,
    spent: Object.freeze([]),
    absoluteFrom: now,
    absoluteUntil: body.session_expires_at,
    ...clocksOf(body, now),
    ended: null,
  });
}

/** The session after its refresh token was spent for the pair in `answer`. */
export function advancePair(pair, { text, body }, now) {
  return Object.freeze({
    ...pair,
    access: body.access_token,
    refresh: body.refresh_token,
    answer: text,
    generation: pair.generation + 1,
    spent: Object.freeze([...pair.spent, pair.refresh]),
    ...clocksOf(body, now),
  });
}

/** The session is over; `why` is the sentence that says how. */
export const endPair = (pair, why) => Object.freeze({ ...pair, ended: why });

/** The refresh token spent last: presenting it again is a retry. Null before the first refresh. */
export const lastSpent = (pair) => pair.spent.at(-1) ?? null;

/** The oldest refresh token, when it is older than a retry may be: presenting it is reuse. Null before that. */
export const reusable = (pair) => (pair.spent.length >= 2 ? pair.spent[0] : null);

/**
 * The three clocks of a session, as they stand now.
 *
 * @returns {ReadonlyArray<{id: string, label: string, note: string, left: number, total: number}>} in seconds
 */
export function clocks(pair, now) {
  const clock = (id, label, note, from, until) =>
    ({ id, label, note, left: Math.max(0, until - now), total: Math.max(1, until - from) });
  return [
    clock("access", "Access token", "then refresh", pair.accessFrom, pair.accessUntil),
    clock("idle", "Refresh token", "starts again with each refresh", pair.idleFrom, pair.idleUntil),
    clock("absolute", "Session", "then sign in again, whatever happened", pair.absoluteFrom, pair.absoluteUntil),
  ];
}
