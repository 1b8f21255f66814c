/** An edge worker that guards an API: the one of the package's README. */
import { createVerifier } from "countersign";

let verifier;
let refreshedAt = 0;

export default {
  async fetch(request, env, context) {
    verifier ??= await createVerifier({ issuer: env.ISSUER, audience: "api" });
    if (Date.now() - refreshedAt >= env.REFRESH_SECONDS * 1000) {
      refreshedAt = Date.now();
      context.waitUntil(verifier.refresh().catch(console.error)); // in the background; until then the list at hand is used
    }
    const { ok, claims, response } = verifier.authenticate(request, { scope: "orders:read" });
    return ok ? Response.json({ subject: claims.sub }) : response;
  },
};
