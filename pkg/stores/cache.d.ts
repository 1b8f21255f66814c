import type { Store } from "../index.js";

/**
 * Returns a store in the Cache API, for pages, service workers and Workers.
 *
 * @param options Name of the cache, by default `countersign`, and a URL that the entry is filed under, one for each
 *   issuer. Nothing is ever fetched from it.
 */
export function cacheStore(options?: { cache?: string | undefined; url?: string | undefined }): Store;
