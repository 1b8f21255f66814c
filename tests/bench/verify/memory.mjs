/**
 * How much WebAssembly memory one build takes, in a process of its own: with two keys that both sign tokens, and a list of
 * 10,000 entries. Prints JSON, in bytes.
 *
 *     node memory.mjs <folder> <build>
 */
import { memoryBytes } from "./watched.mjs";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readFixture } from "./fixture.mjs";
import { imported, verifierOf } from "./ours.mjs";

/** More than enough for a key to count as busy. */
const VERIFICATIONS = 20_000;

const [folder, build] = process.argv.slice(2);
const fixture = readFixture(folder);
const text = (name) => readFileSync(join(folder, name), "utf8");
const keys = JSON.parse(text("keys-two.json"));
const tokens = [...fixture.tokens, ...text("tokens-second.txt").split("\n")];

await imported(folder, build);
const instantiated = memoryBytes();
const verifier = await verifierOf(folder, build, { ...fixture, keys }, { cache: false });
const loaded = memoryBytes();
verifier.verify(tokens[0]);
const judged = memoryBytes();
for (let at = 0; at < VERIFICATIONS; at += 1) verifier.verify(tokens[at % tokens.length]);
verifier.verifyMany(tokens);
console.log(JSON.stringify({ build, instantiated, loaded, judged, busy: memoryBytes() }));
