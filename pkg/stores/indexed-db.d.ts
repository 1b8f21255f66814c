import type { Store } from "../index.js";

/**
 * Returns a store in IndexedDB, for pages and service workers.
 *
 * @param options Names of the database, by default `countersign`, and of the entry in it, by default `state`: one for each issuer.
 */
export function indexedDbStore(options?: { database?: string | undefined; key?: string | undefined }): Store;
