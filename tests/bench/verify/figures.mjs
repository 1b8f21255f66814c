/** How figures are handed on and written. */
import { median } from "./rounds.mjs";

/** What is kept of a timed contender. */
export function summary({ id, name, kind, micros }) {
  return { id, name, kind, median: median(micros), lowest: Math.min(...micros), highest: Math.max(...micros) };
}

/** Microseconds with three digits, or as many as there are before the point. */
export function short(micros) {
  return micros < 1 ? micros.toFixed(3) : micros < 10 ? micros.toFixed(2) : micros < 100 ? micros.toFixed(1) : micros.toFixed(0);
}

/** A sign of life on the terminal; the results go to the standard output. */
export function say(what, part) {
  process.stderr.write(`  ${what} ${Math.round(part * 100)} %${process.stderr.isTTY ? "\r" : "\n"}`);
}
