/**
 * The first script of the page: it takes credentials and token out of the address bar before anything else
 * runs, then loads the console. It is apart from `main.js` so that a verifier package that fails to load
 * leaves a sentence on the page instead of silence.
 *
 * @module start
 */

import { takeHanded } from "./fragment.js";

const handed = takeHanded(globalThis.location, globalThis.history);

try {
  const { start } = await import("./main.js");
  await start(handed);
} catch (error) {
  const title = document.getElementById("verdict-title");
  const text = document.getElementById("verdict-text");
  document.getElementById("verdict").dataset.tone = "refused";
  document.querySelector("main").inert = true;
  title.textContent = "The console could not start";
  text.textContent = `${error.message}. Build the verifier with “cargo xtask build-wasm” and load this page again.`;
}
