/**
 * Which of the two modules an engine takes. They differ in nothing but what they are compiled for, and only one is loaded.
 */

/**
 * A module of one function that multiplies two vectors, as the build for simd128 does all the time:
 *
 *     (func (result v128) (i64x2.extmul_low_i32x4_u (i8x16.splat (i32.const 0)) (i8x16.splat (i32.const 0))))
 */
const PROBE = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, // magic number and version
  1, 5, 1, 96, 0, 1, 123, // one type: () -> v128
  3, 2, 1, 0, // one function of that type
  10, 15, 1, 13, 0, 65, 0, 253, 15, 65, 0, 253, 15, 253, 222, 1, 11, // its body
);

/** Returns whether this engine runs vectors of 128 bits; validating compiles nothing, so any content policy allows it. */
export function hasSimd() {
  return WebAssembly.validate(PROBE);
}
