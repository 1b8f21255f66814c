/**
 * How long to wait, in milliseconds: with jitter, so that verifiers that lost their issuer at the same moment do not
 * come back at the same moment; and longer after each failure.
 */

/** Whether `then` is less than so long ago; not when the clock went back behind it. */
export function isWithin(now, then, millis) {
  return now >= then && now - then < millis;
}

/** Returns `millis`, a fifth more or less. */
export function jittered(millis, random) {
  return millis * (0.8 + 0.4 * random());
}

/**
 * Returns the pause after so many failures on end.
 *
 * @param {number} failures from 1
 * @param {{ least: number, most: number, random: () => number }} bounds
 */
export function backOff(failures, { least, most, random }) {
  return jittered(Math.min(most, least * 2 ** Math.min(failures - 1, 30)), random);
}
