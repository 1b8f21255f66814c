/**
 * Holds a runtime against the vectors, which tests/vectors/README.md describes. The same file runs in Node, in a
 * browser and in a worker, so it imports nothing: the package and the vectors come as arguments.
 */

/**
 * Returns one line for each case whose outcome differs from the expected one; none when all agree.
 *
 * @param {typeof import("countersign")} countersign
 * @param {{ verdicts: object[], keysets: object[], lists: object[] }} vectors documents of each kind
 */
export async function differences(countersign, { verdicts, keysets, lists }) {
  const lines = [];
  const compare = async (outcome, document) => {
    for (const one of document.cases) {
      const found = await outcome(countersign, one, document);
      const expected = shown(one.expect);
      if (found !== expected) lines.push(`${one.name}: expected ${expected}, found ${found}`);
    }
  };
  for (const document of verdicts) await compare(verdict, document);
  for (const document of keysets) await compare(keySetOutcome, document);
  for (const document of lists) await compare(listOutcome, document);
  return lines;
}

async function verdict({ createVerifier, VerificationError }, { token, now, options }, { keys, lists }) {
  const revocations = options.revocations === null ? null : bytesOf(lists[options.revocations]);
  const verifier = await createVerifier({ ...options, keys: keys[options.keys], revocations, now: () => now });
  return outcomeOf(VerificationError, () => {
    verifier.verify(token);
    verifier.close();
    return { ok: true };
  });
}

async function keySetOutcome({ createVerifier, KeySetError }, { text, hex }) {
  const keys = text ?? Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  return outcomeOf(KeySetError, async () => {
    const verifier = await createVerifier({ issuer: null, audience: null, keys, revocations: null });
    const kids = verifier.status.keys;
    verifier.close();
    return { ok: true, kids };
  });
}

/** The document reaches a verifier that holds another one by a refresh, as it would in life. */
async function listOutcome({ createVerifier, ListError }, { issuer, keys, held, document, now }, { keys: sets, documents }) {
  const next = bytesOf(documents[document]);
  const given = { issuer, audience: null, keys: sets[keys], now: () => now };
  if (held === null) {
    return outcomeOf(ListError, async () => {
      (await createVerifier({ ...given, revocations: next })).close();
      return { loaded: "newer" };
    });
  }
  let served = bytesOf(documents[held]);
  // To refresh, a verifier has to know its issuer; where any is accepted, the list held names the one.
  const known = issuer ?? issuerOf(served);
  const verifier = await createVerifier({ ...given, issuer: known, fetch: async () => new Response(served) });
  served = next;
  const before = JSON.stringify(verifier.status);
  const outcome = await outcomeOf(ListError, () => verifier.refresh().then(() => ({ loaded: "newer" })));
  const kept = JSON.stringify(verifier.status) === before;
  verifier.close();
  if (outcome === "newer") return kept ? "kept" : "newer";
  return kept ? outcome : `${outcome}, and the list held is lost`;
}

/** What `act` returns, or the refusal that it throws, as one word or phrase. */
async function outcomeOf(Refusal, act) {
  try {
    return shown(await act());
  } catch (error) {
    return error instanceof Refusal ? shown(error) : `${error}`;
  }
}

function shown({ ok, kids, loaded, code, claim, reason }) {
  if (loaded !== undefined) return loaded === "newer" ? "newer" : "kept"; // the same and an older one look alike here
  if (ok) return ["accepted", ...(kids ?? [])].join(" ");
  return [code, claim, reason].filter((part) => part !== undefined).join(" ");
}

function issuerOf(list) {
  const [, claims] = new TextDecoder().decode(list).split(".");
  return JSON.parse(new TextDecoder().decode(bytesOf(claims))).iss;
}

function bytesOf(base64url) {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
