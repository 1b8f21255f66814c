/** An edge worker that guards an API: the one of the package's README. */
import { createVerifier } from "countersign";

let verifier;

export default {
  async fetch(request, env) {
    verifier ??= await createVerifier({ issuer: env.ISSUER, audience: "api" });
    await verifier.refresh({ ifOlderThan: Number(env.REFRESH_SECONDS) }).catch(console.warn); // the list at hand goes on to be used
    const { ok, claims, response } = verifier.authenticate(request, { scope: "orders:read" });
    return ok ? Response.json({ subject: claims.sub }) : response;
  },
};
