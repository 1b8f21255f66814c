/**
 * What a process does with WebAssembly, seen from outside the package. Import this before the package.
 */
const watched = { compiling: 0, instantiating: 0, memory: undefined };

/** Milliseconds spent compiling and instantiating so far. */
export function spent() {
  const { compiling, instantiating } = watched;
  return { compiling, instantiating };
}

/** Bytes of the newest instance's memory. */
export function memoryBytes() {
  return watched.memory.buffer.byteLength;
}

function timed(target, phase, seen = () => {}) {
  return new Proxy(target, {
    construct(constructor, arguments_) {
      const started = performance.now();
      const made = new constructor(...arguments_);
      watched[phase] += performance.now() - started;
      seen(made);
      return made;
    },
  });
}

const { Instance, Module } = WebAssembly;
WebAssembly.Module = timed(Module, "compiling");
WebAssembly.Instance = timed(Instance, "instantiating", ({ exports }) => (watched.memory = exports.memory));
