/** Figures as Markdown. */
import { short } from "./figures.mjs";

/**
 * Verifiers in the order of the contenders, which is by what they do. Ratios are to the first row.
 *
 * @param {{ rows: ReturnType<typeof import("./figures.mjs").summary>[] }} part
 */
export function verifiers({ rows }) {
  const reference = rows[0].median;
  const lines = rows.map(({ name, kind, median, lowest, highest }) => {
    const what = kind === "bare" ? `${name}: the signature alone` : name;
    return [what, short(median), `${short(lowest)} – ${short(highest)}`, times(median / reference)];
  });
  return table(["verifier", "µs per token", "lowest – highest round", "times the first row"], lines);
}

/** @param {{ name: string, steps: Record<string, number> }[]} starts in milliseconds */
export function coldStarts(starts) {
  const lines = starts.map(({ name, steps: { loading, compiling, instantiating, making, judging } }) =>
    [name, loading, compiling, instantiating, making, judging].map((step) => (typeof step === "number" ? step.toFixed(2) : step)));
  return table(["cold, in ms", "scripts read and run", "module compiled", "instantiated", "keys and list taken in", "first verdict"], lines);
}

/** @param {{ build: string, instantiated: number, loaded: number, judged: number, busy: number }[]} builds in bytes */
export function memories(builds) {
  const lines = builds.map(({ build, ...bytes }) => [`${build} build`, ...[bytes.instantiated, bytes.loaded, bytes.judged, bytes.busy].map(kibibytes)]);
  return table(["WebAssembly memory, in KiB", "instantiated", "two keys and 10,000 entries taken in", "one token judged", "20,000 judged by both keys"], lines);
}

/** @param {{ what: string, most: string, measured?: string, holds?: boolean }[]} goals */
export function goals(goals) {
  const lines = goals.map(({ what, most, measured = "–", holds }) => [what, most, measured, holds === undefined ? "not measured" : holds ? "yes" : "no"]);
  return table(["what", "at most", "measured", "reached"], lines);
}

function table(heads, lines) {
  const row = (cells) => `| ${cells.join(" | ")} |`;
  return [row(heads), row(heads.map(() => "---")), ...lines.map(row)].join("\n");
}

function times(value) {
  return value < 0.1 ? value.toFixed(3) : value < 10 ? value.toFixed(2) : value.toFixed(1);
}

function kibibytes(bytes) {
  return Math.round(bytes / 1024).toLocaleString("en");
}
