/** A worker whose requests use one verifier made outside of all of them, at the same time. */
import { createVerifier } from "countersign";

const verifier = await createVerifier({ issuer: null, audience: null, keys: KEYS, revocations: null });
let fetching;

export default {
  async fetch(request, env) {
    const path = new URL(request.url).pathname;
    if (path === "/verify") return Response.json(verifier.authenticate(request).ok);
    fetching ??= await createVerifier({ issuer: env.ISSUER, audience: "api" });
    if (path === "/close") return Response.json(fetching.close() ?? null);
    try {
      if (path === "/refresh") await fetching.refresh();
      return Response.json(fetching.status);
    } catch ({ code }) {
      return Response.json({ code });
    }
  },
};
