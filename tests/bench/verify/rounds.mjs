/**
 * The one way in which everything here is timed, in Node, in a page and in a worker.
 *
 * Rounds are interleaved: each contender has its turn in every round, and the order moves on by one, so what the machine
 * does besides falls on all alike.
 */

/** A turn is as many calls as fill this time. */
const TURN_MILLISECONDS = 20;
const WARM_UP_ROUNDS = 2;

/**
 * Returns the contenders with `micros`: the microseconds that one item took, one figure for each round.
 *
 * @template {{ turn: (count: number) => number | Promise<number>, step?: number }} Contender
 *   `turn` returns the milliseconds that `count` items took; `count` is a multiple of `step`
 * @param {Contender[]} contenders
 */
export async function inRounds(contenders, { rounds = 31, milliseconds = TURN_MILLISECONDS, done = () => {} } = {}) {
  const timed = contenders.map((contender) => ({ ...contender, micros: [] }));
  for (const contender of timed) contender.count = await countFor(contender, milliseconds);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (let turn = 0; turn < timed.length; turn += 1) {
      const contender = timed[(turn + round + WARM_UP_ROUNDS) % timed.length];
      globalThis.gc?.();
      const micros = ((await contender.turn(contender.count)) * 1000) / contender.count;
      if (round >= 0) contender.micros.push(micros);
    }
    done((round + WARM_UP_ROUNDS + 1) / (rounds + WARM_UP_ROUNDS));
  }
  return timed;
}

/** How many items fill a turn; asking for it warms up too. */
async function countFor({ turn, step = 1 }, milliseconds) {
  let count = step;
  for (;;) {
    // The fastest of three: one that was held up would make turns too short.
    const took = Math.min(await turn(count), await turn(count), await turn(count));
    if (took >= milliseconds / 8) return Math.max(step, Math.round((count * milliseconds) / took / step) * step);
    count *= 4;
  }
}

/** A turn of `judge` over the tokens, one after another, from the first to the last and again. */
export function oneByOne(judge, tokens) {
  return (count) => {
    const started = performance.now();
    for (let at = 0; at < count; at += 1) judge(tokens[at % tokens.length]);
    return performance.now() - started;
  };
}

/** The same where `judge` returns a promise, which is awaited before the next call. */
export function awaited(judge, tokens) {
  return async (count) => {
    const started = performance.now();
    for (let at = 0; at < count; at += 1) await judge(tokens[at % tokens.length]);
    return performance.now() - started;
  };
}

/** The same with all calls of a thousand begun before the first is awaited. */
export function inFlight(judge, tokens) {
  return async (count) => {
    const started = performance.now();
    for (let at = 0; at < count; at += tokens.length) await Promise.all(tokens.slice(0, Math.min(tokens.length, count - at)).map(judge));
    return performance.now() - started;
  };
}

/** Batches of `size` tokens at once. */
export function inBatches(judgeMany, tokens, size) {
  const batches = [];
  for (let at = 0; at + size <= tokens.length; at += size) batches.push(tokens.slice(at, at + size));
  return (count) => {
    const started = performance.now();
    for (let at = 0; at * size < count; at += 1) judgeMany(batches[at % batches.length]);
    return performance.now() - started;
  };
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
