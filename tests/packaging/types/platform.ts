// Where the platform's types are known, the package uses them.
import { createVerifier, type Verifier } from "countersign";

const controller = new AbortController();
const verifier: Verifier = await createVerifier({ issuer: "i", audience: "a", fetch, signal: controller.signal });
await createVerifier({ issuer: "i", audience: "a", fetch: async (url, init) => new Response(url + init.redirect) });
await createVerifier({ issuer: "i", audience: "a", fetch: globalThis.fetch.bind(globalThis) });
// @ts-expect-error a Response is needed
await createVerifier({ issuer: "i", audience: "a", fetch: async () => "keys" });
// @ts-expect-error this is no signal
await createVerifier({ issuer: "i", audience: "a", signal: controller });
await verifier.refresh({ signal: AbortSignal.timeout(1000) });
const target: EventTarget = verifier;
target.dispatchEvent(new Event("mine"));

export function answer(request: Request): Response {
  const result = verifier.authenticate(request);
  return result.ok ? new Response(result.claims.sub) : result.response;
}
