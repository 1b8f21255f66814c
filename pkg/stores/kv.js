/**
 * Keeps what a verifier knows in Workers KV, or anything with its `get` and `put`.
 *
 * @param {{ get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>, put(key: string, value: Uint8Array): Promise<void> }} namespace
 * @param {{ key?: string }} [options]
 */
export function kvStore(namespace, { key = "countersign" } = {}) {
  return {
    async load() {
      const value = await namespace.get(key, "arrayBuffer");
      return value === null ? undefined : new Uint8Array(value);
    },
    async save(bytes) {
      await namespace.put(key, bytes);
    },
  };
}
