/**
 * Events of a verifier. A listener that throws is told on the console and harms nobody: where an EventTarget would end
 * the process for it (Node), or throw into whoever had the news (Workers).
 */

export class VerifierEvent extends Event {
  /** What has happened. */
  detail;

  constructor(type, detail) {
    super(type);
    this.detail = Object.freeze(detail);
  }
}

export class VerifierEvents extends EventTarget {
  #guarded = new WeakMap();

  addEventListener(type, listener, options) {
    super.addEventListener(type, this.#guard(listener), options);
  }

  removeEventListener(type, listener, options) {
    super.removeEventListener(type, this.#guard(listener), options);
  }

  /** The same function for the same listener, so that it is added once and can be removed. */
  #guard(listener) {
    if (typeof listener !== "function" && typeof listener !== "object") return listener;
    if (listener === null) return null;
    let guarded = this.#guarded.get(listener);
    if (guarded === undefined) {
      guarded = (event) => {
        try {
          const returned = typeof listener === "function" ? listener.call(this, event) : listener.handleEvent(event);
          if (typeof returned?.then === "function") Promise.resolve(returned).catch(report);
        } catch (error) {
          report(error);
        }
      };
      this.#guarded.set(listener, guarded);
    }
    return guarded;
  }
}

function report(error) {
  console.error("a listener of a Countersign verifier has failed:", error);
}
