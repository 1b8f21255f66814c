/**
 * Holds a runtime against the verdict vectors. The same file runs in Node, in a browser and in a worker, so it imports
 * nothing: the package comes as an argument.
 *
 * ```text
 * vector = { name, token, now, options: { issuer, audience, leeway, scope?, keys, revocations }, expect }
 * revocations = base64url of a list document, or null
 * expect = { ok: true } | { code, claim?, reason? }
 * ```
 */

/** Returns one line for each vector whose verdict differs from the expected one; none when all agree. */
export async function differences({ createVerifier, VerificationError }, vectors) {
  const lines = [];
  for (const vector of vectors) {
    const found = await verdict(createVerifier, VerificationError, vector);
    const expected = shown(vector.expect);
    if (found !== expected) lines.push(`${vector.name}: expected ${expected}, found ${found}`);
  }
  return lines;
}

async function verdict(createVerifier, VerificationError, { token, now, options }) {
  const { revocations, ...others } = options;
  const verifier = await createVerifier({ ...others, revocations: revocations === null ? null : bytesOf(revocations), now: () => now });
  try {
    verifier.verify(token);
    return shown({ ok: true });
  } catch (error) {
    return error instanceof VerificationError ? shown(error) : `${error}`;
  } finally {
    verifier.close();
  }
}

function shown({ ok, code, claim, reason }) {
  return ok ? "valid" : [code, claim, reason].filter((part) => part !== undefined && part !== null).join(" ");
}

function bytesOf(base64url) {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
