// Used by use.mjs, use.cjs and the bundles: verifies one token of the second issuer, given as JSON on the command line.
export async function use({ createVerifier, VerificationError }, { keys, good, bad, revocations, now }) {
  const list = revocations === null ? null : Uint8Array.from(revocations);
  const verifier = await createVerifier({ issuer: null, audience: "api", keys, revocations: list, now: () => now });
  const { sub } = verifier.verify(good);
  try {
    verifier.verify(bad);
  } catch (error) {
    return `${sub} ${error instanceof VerificationError} ${error.code}`;
  }
  return "the revoked token was accepted";
}
