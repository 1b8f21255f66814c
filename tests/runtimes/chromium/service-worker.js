/**
 * A service worker that keeps the site's files, so that a page can be loaded without a network, and answers /who itself:
 * whom a token speaks for. It verifies with a store of its own, for a browser ends service workers whenever it likes.
 */
import { createVerifier } from "/pkg/browser.js";
import { cacheStore } from "/pkg/stores/cache.js";

const given = Object.fromEntries(new URL(self.location).searchParams);
/** It will use one of them; which one, the package decides. */
const MODULES = ["/pkg/wasm/verifier_bg.wasm", "/pkg/wasm/verifier_simd_bg.wasm"];
let verifier;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open("site").then((cache) => cache.addAll(MODULES)));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (origin === self.location.origin) event.respondWith(pathname === "/who" ? who(event.request) : kept(event.request));
});

async function who(request) {
  verifier ??= await createVerifier({ issuer: given.issuer, audience: "api", store: cacheStore() });
  const { ok, claims, error } = verifier.authenticate(request);
  return Response.json({ says: ok ? claims.sub : error?.code, seq: verifier.status.seq });
}

/** From the network, or what it was there last time. */
async function kept(request) {
  const cache = await caches.open("site");
  try {
    const response = await fetch(request);
    await cache.put(request, response.clone());
    return response;
  } catch {
    return (await cache.match(request)) ?? Response.error();
  }
}
