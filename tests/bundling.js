/** What a bundler makes of a program for browsers. */
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

/** The bundle of a program that lies in this folder, minified; the WebAssembly modules are files beside it. */
export async function bundled(contents) {
  const options = { bundle: true, minify: true, format: "esm", platform: "browser", write: false, logLevel: "error" };
  const stdin = { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) };
  const { outputFiles } = await build({ ...options, stdin, loader: { ".wasm": "file" }, outdir: "/nowhere" });
  return outputFiles.find((file) => file.path.endsWith(".js")).contents;
}
