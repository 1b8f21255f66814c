import { createVerifier, type Claims, VerificationError } from "countersign";

const verifier = await createVerifier({ issuer: null, audience: ["api"], keys: { keys: [] }, revocations: null });

export function tenantOf(token: string): string {
  try {
    const claims: Claims<{ tenant: string }> = verifier.verify<{ tenant: string }>(token);
    return claims.tenant;
  } catch (error) {
    if (error instanceof VerificationError && error.code === "ERR_TOKEN_REVOKED") return "revoked";
    throw error;
  }
}

export default {
  fetch(request: Request): Response {
    const result = verifier.authenticate(request);
    return result.ok ? Response.json({ subject: result.claims.sub }) : result.response;
  },
};
