/**
 * Keeps what a verifier knows in a file, for Node, Deno and Bun.
 *
 * The file is replaced as a whole: whoever reads it sees one state or the other, after a crash too.
 */
import { randomBytes } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";

/** More than any state has. */
const MAX_LENGTH = 32 * 1024 * 1024;

/** @param {string} path its folder must be there, and writable by nobody else */
export function fileStore(path) {
  return {
    async load() {
      const file = await open(path, "r").catch((error) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      });
      if (file === undefined) return undefined;
      try {
        if ((await file.stat()).size > MAX_LENGTH) throw new Error(`${path} is longer than ${MAX_LENGTH} bytes`);
        const { buffer, byteOffset, byteLength } = await file.readFile();
        return new Uint8Array(buffer, byteOffset, byteLength);
      } finally {
        await file.close();
      }
    },
    async save(bytes) {
      const next = `${path}.${randomBytes(6).toString("hex")}`;
      const file = await open(next, "wx", 0o600);
      try {
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(next, path);
      } catch (error) {
        await unlink(next).catch(() => {});
        throw error;
      }
    },
  };
}
