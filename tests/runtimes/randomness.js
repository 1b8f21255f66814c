/** Chance that can be repeated. */

/** Numbers from 0 up to 1, always the same for a seed (mulberry32). */
export function randomness(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Chooses by chance. */
export class Dice {
  constructor(seed) {
    this.random = randomness(seed);
  }

  /** A whole number from 0 up to `count`. */
  below(count) {
    return Math.floor(this.random() * count);
  }

  oneOf(choices) {
    return choices[this.below(choices.length)];
  }

  /** Some of these, in their order. */
  someOf(choices) {
    return choices.filter(() => this.random() < 0.3);
  }
}
