/**
 * How long one verification takes. A browser's clock moves in coarse steps (0.005 to 1 ms, on purpose),
 * so one run of about 0.1 ms cannot be timed. Instead the task runs in batches, each long enough that one
 * step of the clock is a few per cent of it; the answer is the median over the batches of time ÷ runs.
 *
 * @module measure
 */

const BATCHES = 5;
const STEPS_PER_BATCH = 40;
const LEAST_BATCH_MS = 15;
const MOST_BATCH_MS = 60;
const MOST_RUNS = 20_000;

/** The smallest step, in milliseconds, that the clock was seen to take; 1 when it does not move. */
function clockStep(clock) {
  let step = Infinity;
  let before = clock.precise();
  for (let reads = 0; reads < 50_000 && step > 0; reads += 1) {
    const after = clock.precise();
    if (after > before) {
      step = Math.min(step, after - before);
      if (reads > 2_000) break;
    }
    before = after;
  }
  return Number.isFinite(step) ? step : 1;
}

/** Runs the task until `span` milliseconds have passed and gives the microseconds of one run. */
function batch(task, clock, span) {
  const start = clock.precise();
  let runs = 0;
  let elapsed = 0;
  while (elapsed < span && runs < MOST_RUNS) {
    task();
    runs += 1;
    elapsed = clock.precise() - start;
  }
  return { runs, micros: (elapsed * 1000) / runs };
}

/**
 * The time one run of `task` takes.
 *
 * @param {() => void} task does not throw
 * @param {{precise(): number}} clock milliseconds that only grow
 * @param {() => Promise<void>} pause lets the page breathe between batches
 * @returns {Promise<{micros: number, runs: number, batches: number, stepMicros: number}>}
 */
export async function measure(task, clock, pause) {
  const step = clockStep(clock);
  const span = Math.min(MOST_BATCH_MS, Math.max(LEAST_BATCH_MS, step * STEPS_PER_BATCH));
  const results = [];
  for (let index = 0; index < BATCHES; index += 1) {
    results.push(batch(task, clock, span));
    await pause();
  }
  results.sort((left, right) => left.micros - right.micros);
  return {
    micros: results[(BATCHES - 1) / 2].micros,
    runs: results.reduce((sum, { runs }) => sum + runs, 0),
    batches: BATCHES,
    stepMicros: step * 1000,
  };
}
