/**
 * Judges one token with one verifier and prints how many milliseconds that took from here, its import included.
 *
 *     node cold.mjs <folder> <contender>
 */
import { performance } from "node:perf_hooks";
import { CONTENDERS, readFixture } from "./contenders.mjs";

const [folder, name] = process.argv.slice(2);
const fixture = readFixture(folder);
const started = performance.now();
const judge = await CONTENDERS[name](fixture);
await (judge.sync ?? judge.async)(fixture.token);
console.log(performance.now() - started);
