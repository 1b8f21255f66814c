/**
 * The few marks that descriptions use, as elements: paragraphs, lists of lines with a dash, `code`.
 *
 * @module reference-text
 */

import { el } from "./dom.js";

/** The elements that a description stands for. */
export function prose(text) {
  const blocks = [];
  for (const block of (text ?? "").split(/\n\n+/).filter((block) => block !== "")) {
    const lines = block.split("\n");
    if (lines.every((line) => line.startsWith("- "))) blocks.push(el("ul", { class: "points" }, ...lines.map((line) => el("li", {}, ...inline(line.slice(2))))));
    else blocks.push(el("p", {}, ...inline(lines.join(" "))));
  }
  return blocks;
}

/** A line of text, with what stands between backticks as code. */
export const inline = (text) => text.split("`").map((part, at) => (at % 2 === 1 ? el("code", {}, part) : part));
