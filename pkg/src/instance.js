/**
 * The one WebAssembly instance behind all verifiers, and what happens when it traps.
 *
 * A trap leaves the instance in an unknown state, so it is never asked again: a fresh one takes its place, and each
 * verifier notices by the generation that its bindings belong to the old one.
 */
import load, { __wbg_reset_state as replaceInstance, initSync } from "../wasm/verifier.js";
import { Desk } from "./desk.js";
import { FetchError } from "./errors.js";

let moduleUrl; // set where the module has to be fetched first
let desk; // that of the instance in use, once there is one
let generation = 0;
let sound = true; // false only while no fresh instance could be made

/** Instantiates the module, given as bytes or compiled. */
export function instantiate(module) {
  initSync({ module });
}

/** Remembers where the module is to be fetched from once it is needed. */
export function instantiateFrom(url) {
  moduleUrl = url;
}

/** Resolves when there is an instance; at once where an entry has made it already. */
export async function instantiated() {
  if (moduleUrl === undefined) return;
  try {
    // A service worker that is started without a network gets from the network only what it has put into a cache.
    await load({ module_or_path: moduleUrl }).catch(async (cause) => {
      const kept = await globalThis.caches?.match(moduleUrl);
      if (kept === undefined) throw cause;
      return load({ module_or_path: kept });
    });
  } catch (thrown) {
    const cause = /** @type {Error} */ (thrown);
    // A path that a bundler has not served is told by its status. What is fetched and not compiled may be a policy's doing.
    const hint = cause.name === "CompileError" ? " (a Content-Security-Policy has to allow 'wasm-unsafe-eval')" : "";
    const message = `the WebAssembly module could not be loaded from ${moduleUrl}: ${cause.message}${hint}`;
    throw new FetchError(message, { url: String(moduleUrl), cause });
  }
}

/** Returns the number of the instance in use; bindings made under another number are dead. */
export function currentGeneration() {
  if (!sound) discard();
  return generation;
}

/** Returns the desk of the instance in use; one that was returned before a trap is dead. */
export function currentDesk() {
  if (!sound) discard();
  return (desk ??= new Desk(initSync({}).memory)); // which returns what is there once there is an instance
}

/**
 * Returns what `call` returns. A refusal is returned as well: what is thrown is a trap, or may be one. It passes through,
 * and the instance is replaced.
 */
export function guarded(call) {
  try {
    return call();
  } catch (thrown) {
    sound = false;
    try {
      discard();
    } catch {
      // Out of memory, say. What was thrown first tells more; the next call tries again and throws in its turn.
    }
    throw thrown;
  }
}

function discard() {
  generation += 1;
  desk = undefined;
  replaceInstance();
  sound = true;
}
