/**
 * What has lately happened to the list held, as a value that can be drawn: publications, and by which way they
 * came. Pure; times are milliseconds of the page's clock.
 *
 *     {at, kind: "first" | "heartbeat", seq}             a list signed anew, with nothing more revoked
 *     {at, kind: "revoked", seq, added, rules}           a list that revokes more
 *     {at, kind: "stale" | "recovered" | "alarm"}
 *     {at, kind: "way", way: "stream" | "poll" | "cut"}  from here on news come by this way
 *
 * @module trail
 */

/** How much of the past is drawn. */
export const WINDOW_MS = 120_000;

/** More than this is one mark: a burst of revocations is a peak and no hedge. */
const BUCKET = 7;

/** The trail with one more entry; what has left the window goes, but for the way that still holds. */
export function extend(trail, entry) {
  const from = entry.at - WINDOW_MS;
  const lastWay = trail.findLast(({ kind, at }) => kind === "way" && at <= from);
  return Object.freeze([...trail.filter((past) => past.at > from || past === lastWay), Object.freeze(entry)]);
}

/** By which way news come now; null before anything is known. */
export const wayOf = (trail) => trail.findLast(({ kind }) => kind === "way")?.way ?? null;

/**
 * The trail in a picture of this width: the stretches of each way, and the marks on them, from left to right.
 *
 * @param {ReadonlyArray<object>} trail
 * @param {number} now the right edge
 * @param {number} width
 * @returns {{ways: Array<{way: string, from: number, to: number}>, marks: Array<{x: number, kind: string, added: number, rules: number}>}}
 */
export function picture(trail, now, width) {
  const place = (at) => Math.round(Math.max(0, 1 - (now - at) / WINDOW_MS) * width * 10) / 10;
  return { ways: stretches(trail, place, width), marks: marks(trail.filter(({ kind, at }) => kind !== "way" && now - at < WINDOW_MS), place) };
}

function stretches(trail, place, width) {
  const changes = trail.filter(({ kind }) => kind === "way");
  const all = changes.map(({ way, at }, index) => ({ way, from: place(at), to: index + 1 < changes.length ? place(changes[index + 1].at) : width }));
  return all.filter(({ from, to }) => to > from);
}

function marks(entries, place) {
  const found = [];
  for (const { at, kind, added = 0, rules = 0 } of entries) {
    const x = place(at);
    const near = found.at(-1);
    if (near === undefined || x - near.x >= BUCKET || weight(kind) > 1 || weight(near.kind) > 1) found.push({ x, kind, added, rules });
    else {
      if (weight(kind) >= weight(near.kind)) Object.assign(near, { kind });
      near.added += added;
      near.rules += rules;
    }
  }
  return found;
}

/** What is told of two things at one place: the weightier one. From 2 on it is never merged. */
const weight = (kind) => ({ first: 0, heartbeat: 0, revoked: 1 })[kind] ?? 2;

/** The picture in a sentence, for those who do not see it. */
export function summary(trail, now) {
  const within = trail.filter(({ at }) => now - at < WINDOW_MS);
  const tally = (...kinds) => within.filter(({ kind }) => kinds.includes(kind)).length;
  const times = (amount, one, many) => `${amount} ${amount === 1 ? one : many}`;
  const revoked = times(tally("revoked"), "revocation", "revocations");
  return `The last two minutes: ${times(tally("first", "heartbeat"), "heartbeat", "heartbeats")}, ${revoked}. ${WAY_IN_WORDS[wayOf(trail)] ?? ""}`.trim();
}

const WAY_IN_WORDS = Object.freeze({
  stream: "The issuer pushes news at this moment.",
  poll: "The issuer is asked every few seconds at this moment.",
  cut: "Nothing comes from the issuer at this moment.",
});
