/** Pictures as SVG that can be read on light and dark pages: lines over one axis, and bars in parts. */

const WIDTH = 720;
const FONT = "font-family: system-ui, sans-serif";
/** By light and by dark; lines are told apart by their dashes as well. */
const STYLE = `<style>
text { ${FONT}; font-size: 13px; fill: #1f2328 }
.small { font-size: 12px } .head { font-size: 15px; font-weight: 600 }
.axis { stroke: #59636e } .grid { stroke: #d1d9e0 }
.c0 { --c: #0969da } .c1 { --c: #bc4c00 } .c2 { --c: #1a7f37 } .c3 { --c: #8250df } .c4 { --c: #59636e } .c5 { --c: #9a6700 }
.line { stroke: var(--c); fill: none; stroke-width: 2 } .dot, .bar { fill: var(--c) } .name { fill: var(--c); font-weight: 600 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .axis { stroke: #9198a1 } .grid { stroke: #3d444d }
  .c0 { --c: #4493f8 } .c1 { --c: #f0883e } .c2 { --c: #3fb950 } .c3 { --c: #ab7df8 } .c4 { --c: #9198a1 } .c5 { --c: #d29922 }
}
</style>`;
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 2"];
/** The same in every picture. */
const COLOURS = { simd: 0, scalar: 1, native: 2, jose: 3, "fast-jwt": 4 };

/**
 * A picture with one line for each name, x on a logarithmic axis and y, from 0, in µs.
 *
 * @param {{ title: string, xLabel: string, lines: Record<string, [number, number][]> }} picture
 */
export function linesPicture({ title, xLabel, lines }) {
  const [height, left, right, top, bottom] = [360, 64, 130, 44, 56];
  const points = Object.values(lines).flat();
  const xs = [...new Set(points.map(([x]) => x))].toSorted((a, b) => a - b);
  const scale = ticks(Math.max(...points.map(([, y]) => y)));
  const [first, last] = [xs.find((x) => x > 0), xs.at(-1)];
  // A list of no entries has no logarithm; it stands one step before the first.
  const zero = xs[0] === 0 ? 1 / 7 : 0;
  const atX = (x) => left + (x === 0 ? 0 : zero + ((1 - zero) * Math.log(x / first)) / Math.log(last / first)) * (WIDTH - left - right);
  const atY = (y) => height - bottom - (y / scale.at(-1)) * (height - top - bottom);
  const grid = scale.map((y) => `<path class="grid" d="M${left} ${fixed(atY(y))}H${WIDTH - right}"/><text class="small" text-anchor="end" x="${left - 8}" y="${fixed(atY(y) + 4)}">${y}</text>`);
  const below = xs.map((x) => `<path class="axis" d="M${fixed(atX(x))} ${height - bottom}v5"/><text class="small" text-anchor="middle" x="${fixed(atX(x))}" y="${height - bottom + 19}">${compact(x)}</text>`);
  const ends = apart(Object.entries(lines).map(([name, of]) => ({ name, y: atY(of.at(-1)[1]) })), 16);
  const drawn = Object.entries(lines).map(([name, of]) => {
    const at = COLOURS[name];
    const path = of.map(([x, y], step) => `${step === 0 ? "M" : "L"}${fixed(atX(x))} ${fixed(atY(y))}`).join("");
    const dots = of.map(([x, y]) => `<circle class="dot" cx="${fixed(atX(x))}" cy="${fixed(atY(y))}" r="3"><title>${name}, ${x}: ${rounded(y)} µs</title></circle>`);
    return `<g class="c${at}"><path class="line" stroke-dasharray="${DASHES[at]}" d="${path}"/>${dots.join("")}<text class="name" x="${WIDTH - right + 12}" y="${fixed(ends.get(name) + 4)}">${name}</text></g>`;
  });
  return svg(height, title, [
    ...grid, ...below, ...drawn,
    `<path class="axis" fill="none" d="M${left} ${top}V${height - bottom}H${WIDTH - right}"/>`,
    `<text text-anchor="middle" x="${(left + WIDTH - right) / 2}" y="${height - 12}">${xLabel}</text>`,
    `<text text-anchor="middle" transform="translate(16 ${(top + height - bottom) / 2}) rotate(-90)">µs per token</text>`,
  ]);
}

/**
 * A picture with a bar for each name, from 0, in µs; a bar may have several parts, explained below.
 *
 * @param {{ title: string, bars: { name: string, parts: { name?: string, colour: number, micros: number }[] }[] }} picture
 */
export function barsPicture({ title, bars }) {
  const [step, left, right, top] = [26, 300, 70, 44];
  const named = new Map(bars.flatMap(({ parts }) => parts).filter(({ name }) => name !== undefined).map(({ name, colour }) => [name, colour]));
  const height = top + bars.length * step + 46 + (named.size > 0 ? 24 : 0);
  const sum = ({ parts }) => parts.reduce((total, { micros }) => total + micros, 0);
  const scale = ticks(Math.max(...bars.map(sum)));
  const atX = (micros) => left + (micros / scale.at(-1)) * (WIDTH - left - right);
  const foot = top + bars.length * step;
  const grid = scale.map((x) => `<path class="grid" d="M${fixed(atX(x))} ${top - 6}V${foot}"/><text class="small" text-anchor="middle" x="${fixed(atX(x))}" y="${foot + 16}">${x}</text>`);
  const drawn = bars.map((bar, at) => {
    let from = 0;
    const parts = bar.parts.map(({ name, colour, micros }) => {
      const [x, width] = [atX(from), Math.max(0, atX(from + micros) - atX(from))];
      from += micros;
      return `<rect class="bar c${colour}" x="${fixed(x)}" y="${top + at * step}" width="${fixed(width)}" height="${step - 8}"><title>${name ?? bar.name}: ${rounded(micros)} µs</title></rect>`;
    });
    const y = top + at * step + 13;
    return `<text class="small" text-anchor="end" x="${left - 10}" y="${y}">${bar.name}</text>${parts.join("")}<text class="small" x="${fixed(atX(sum(bar)) + 6)}" y="${y}">${rounded(sum(bar))}</text>`;
  });
  let x = 20;
  const key = [...named].map(([name, colour]) => {
    const one = `<rect class="bar c${colour}" x="${x}" y="${height - 20}" width="12" height="12"/><text class="small" x="${x + 17}" y="${height - 10}">${name}</text>`;
    x += 36 + name.length * 6.6;
    return one;
  });
  return svg(height, title, [...grid, ...drawn, `<text class="small" text-anchor="middle" x="${(left + WIDTH - right) / 2}" y="${foot + 34}">µs per token</text>`, ...key]);
}

function svg(height, title, parts) {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">`;
  return [head, STYLE, `<text class="head" x="12" y="22">${title}</text>`, ...parts, "</svg>\n"].join("\n");
}

/** Round numbers from 0 to just above `most`. */
function ticks(most) {
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, at) => Number((at * step).toPrecision(6)));
}

/** Heights for names, moved so that none lies on another. */
function apart(names, least) {
  const placed = new Map();
  let above = -Infinity;
  for (const { name, y } of names.toSorted((a, b) => a.y - b.y)) {
    above = Math.max(y, above + least);
    placed.set(name, above);
  }
  return placed;
}

function compact(x) {
  return x >= 1e6 ? `${x / 1e6}M` : x >= 1e4 ? `${x / 1e3}k` : String(x);
}

function rounded(micros) {
  return String(Number(micros.toPrecision(3)));
}

function fixed(number) {
  return Number(number.toFixed(1));
}
