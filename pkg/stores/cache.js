/**
 * Keeps what a verifier knows in the Cache API, for pages, service workers and Workers.
 *
 * @param {{ cache?: string, url?: string }} [options] `url` is what the entry is filed under; nothing is fetched from it
 */
export function cacheStore({ cache = "countersign", url = "https://countersign.invalid/state" } = {}) {
  return {
    async load() {
      const response = await (await caches.open(cache)).match(url);
      return response && new Uint8Array(await response.arrayBuffer());
    },
    async save(bytes) {
      // Where entries expire they do so after a day: by then any list has.
      const headers = { "Content-Type": "application/octet-stream", "Cache-Control": "max-age=86400" };
      await (await caches.open(cache)).put(url, new Response(bytes, { headers }));
    },
  };
}
