/**
 * Holds a runtime against the vectors, which tests/vectors/README.md describes. The same file runs in Node, in a
 * browser and in a worker, so the package and the vectors come as arguments. Lists are judged by the package's bindings,
 * which say of each what became of it; a path to them that all three can follow is the one thing imported.
 */
import { bindings as made, load as taken, statusOf } from "../../pkg/src/bindings.js";

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
  const verifier = await createVerifier({ ...options, keys: keys[options.keys], revocations, now: () => now, cache: 2 });
  const verdicts = [await alone(), await alone(), ...(await together())];
  verifier.close();
  return verdicts.every((one) => one === verdicts[0]) ? verdicts[0] : `not the same each time: ${verdicts.join(", ")}`;

  /** As the first of its text, and when it is known. */
  function alone() {
    return outcomeOf(VerificationError, () => {
      verifier.verify(token);
      return { ok: true };
    });
  }

  async function together() {
    try {
      return verifier.verifyMany([token, token]).map(({ error }) => shown(error ?? { ok: true }));
    } catch (error) {
      return [`${error}`];
    }
  }
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

function listOutcome(_, { issuer, keys, held, document, now }, { keys: sets, documents }) {
  const settings = { issuer, audience: null, leeway: 5, revocations: undefined, cacheSize: 0 };
  const bindings = made(settings, new TextEncoder().encode(JSON.stringify(sets[keys])));
  const load = (name) => outcomeOrRefusal(taken(bindings, bytesOf(documents[name]), now));
  const inUse = () => JSON.stringify({ ...statusOf(bindings), notBefore: 0 }); // the clock's floor moves in any case
  try {
    const astray = held.find(([name, word]) => load(name) !== word);
    if (astray !== undefined) return `not ${astray[1]}: ${astray[0]}`;
    const before = inUse();
    const outcome = load(document);
    if ((inUse() === before) === (outcome === "newer")) return `${outcome}, and the list in use is not the right one`;
    return outcome;
  } finally {
    bindings.free();
  }
}

function outcomeOrRefusal(answer) {
  if (!Array.isArray(answer)) return answer;
  const [kind, code, claim, reason] = answer;
  return kind === "list" ? shown({ code, claim, reason }) : `${answer}`;
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
  if (loaded !== undefined) return loaded;
  if (ok) return ["accepted", ...(kids ?? [])].join(" ");
  return [code, claim, reason].filter((part) => typeof part === "string").join(" ");
}

function bytesOf(base64url) {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
