import type { Store } from "../index.js";

/**
 * Returns a store in a file that only its owner can read and write.
 *
 * @param path One for each issuer. Its folder must be there, and writable by nobody who is not trusted about keys.
 */
export function fileStore(path: string): Store;
