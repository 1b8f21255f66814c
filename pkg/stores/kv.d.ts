import type { Store } from "../index.js";

/** The part of a namespace of Workers KV that is used. */
export interface KvNamespace {
  get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  put(key: string, value: ArrayBufferView): Promise<void>;
}

/**
 * Returns a store in Workers KV, or in anything with its interface.
 *
 * @param options Key of the entry, by default `countersign`: one for each issuer.
 */
export function kvStore(namespace: KvNamespace, options?: { key?: string | undefined }): Store;
