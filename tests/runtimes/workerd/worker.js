/**
 * Builds a worker as its author's tools would, and runs it in workerd.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import workerd from "workerd";

/** The oldest date whose behaviour is promised, and a recent one. */
export const COMPATIBILITY_DATES = ["2024-01-01", "2026-10-01"];

/**
 * Runs a worker of this folder until `close` is called.
 *
 * @param {string} name file name without its ending
 * @param {{ env?: Record<string, string>, define?: Record<string, string>, compatibilityDate?: string, kv?: string }} [settings]
 *   `define` replaces identifiers in the source by JSON; `kv` is the address of what serves the namespace bound as `KV`.
 */
export async function running(name, { env = {}, define, compatibilityDate = COMPATIBILITY_DATES[0], kv } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "countersign-worker-"));
  await build({
    entryPoints: [fileURLToPath(new URL(`./${name}.js`, import.meta.url))],
    outfile: join(folder, "main.js"),
    bundle: true,
    format: "esm",
    conditions: ["workerd", "worker"],
    loader: { ".wasm": "copy" }, // workerd compiles it, as Cloudflare's tools have it
    define,
    logLevel: "error",
  });
  const modules = (await readdir(folder)).filter((file) => file.endsWith(".wasm"));
  await writeFile(join(folder, "config.capnp"), config(modules, env, compatibilityDate, kv));
  const child = spawn(workerd.default ?? workerd, ["serve", join(folder, "config.capnp"), "--control-fd=3"], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  const port = await listening(child);
  const close = async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await rm(folder, { recursive: true });
  };
  return { url: `http://127.0.0.1:${port}`, close };
}

async function listening(child) {
  const lines = createInterface({ input: child.stdio[3] });
  const told = (async () => {
    for await (const line of lines) {
      const message = JSON.parse(line);
      if (message.event === "listen") return message.port;
    }
    throw new Error("workerd ended before it listened");
  })();
  const failed = once(child, "error").then(([error]) => {
    throw new Error("workerd could not be started; is tests/node_modules that of this machine? (npm ci)", { cause: error });
  });
  return Promise.race([told, failed]);
}

/** `private`: the issuer is on this machine. */
function config(modules, env, compatibilityDate, kv) {
  const wasm = modules.map((file) => `(name = "${file}", wasm = embed "${file}")`);
  const bindings = Object.entries(env).map(([name, text]) => `(name = "${name}", text = ${JSON.stringify(text)})`);
  const services = kv === undefined ? "" : `(name = "kv", external = (address = "${kv}", http = ())),`;
  if (kv !== undefined) bindings.push('(name = "KV", kvNamespace = "kv")');
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "main.js", esModule = embed "main.js"), ${wasm.join(", ")}],
      bindings = [${bindings.join(", ")}],
      compatibilityDate = "${compatibilityDate}",
    )),
    ${services}
    (name = "internet", network = (allow = ["private", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
}
