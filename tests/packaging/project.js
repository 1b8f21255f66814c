/**
 * Packs the npm package and installs it into empty projects, as a stranger would.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PKG = fileURLToPath(new URL("../../pkg/", import.meta.url));
const CONSUMERS = fileURLToPath(new URL("./consumers/", import.meta.url));
const BIN = fileURLToPath(new URL("../node_modules/.bin/", import.meta.url));
const run = promisify(execFile);

/** Packs the package into `folder`, and returns what npm says of it: `filename`, `files`, sizes. */
export async function packed(folder) {
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: PKG });
  const [said] = Object.values(JSON.parse(stdout)); // an array, or since npm 12 an object by name
  return { ...said, path: join(folder, said.filename) };
}

/** A project that has the tarball installed, and nothing else. */
export async function project(tarball) {
  const folder = await mkdtemp(join(tmpdir(), "countersign-consumer-"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "consumer", version: "1.0.0", private: true }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], { cwd: folder });
  return {
    folder,
    /** Copies files of the folder `consumers` into the project. */
    add: (...names) => Promise.all(names.map((name) => cp(join(CONSUMERS, name), join(folder, name)))),
    write: async (name, text) => {
      await mkdir(join(folder, name, ".."), { recursive: true });
      await writeFile(join(folder, name), text);
    },
    node: (...args) => run(process.execPath, args, { cwd: folder }),
    /** Runs a tool of tests/node_modules inside the project. */
    tool: (name, ...args) => run(join(BIN, name), args, { cwd: folder }),
    close: () => rm(folder, { recursive: true }),
  };
}
