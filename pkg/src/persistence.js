/**
 * How a verifier with a store begins.
 */
import { instantiated } from "./instance.js";
import { inTime, Saver } from "./saver.js";
import { awaited } from "./sources.js";
import { State } from "./state.js";
import { unpacked } from "./stored.js";
import { Verifier } from "./verifier.js";

/**
 * Returns a verifier: at once with what the store holds, if that holds up and is not too old; otherwise with what is
 * fetched. When that fails, and the store knew something, it refuses every token until the issuer is heard again.
 *
 * @param {ReturnType<typeof import("./options.js").verifierSettings>} settings
 * @param {() => number} now
 * @param {() => Promise<{ keys: Uint8Array, list: Uint8Array | null }>} fetchDocuments
 */
export async function createWithStore(settings, now, fetchDocuments) {
  const { stored, storeError } = await restored(settings, now);
  const saver = new Saver(settings, storeError);
  if (stored !== undefined && !stored.isStale()) return new Verifier(settings, stored, { isFetched: false, saver });
  let fetched;
  try {
    fetched = await fetchDocuments();
  } catch (lastError) {
    if (stored !== undefined) return new Verifier(settings, stored, { isFetched: false, lastError, saver });
    throw lastError;
  }
  const origin = stored === undefined ? { isFetched: true } : brought(settings, stored, fetched);
  const verifier = new Verifier(settings, stored ?? new State(settings, fetched, now), { ...origin, saver });
  saver.changed({ urgent: true });
  await saver.settle();
  return verifier;
}

/** Returns the state that the store holds, verified as if it had just been fetched; or why there is none. */
async function restored(settings, now) {
  try {
    const [bytes] = await Promise.all([inTime(settings.store.load(), settings.timeoutMillis, awaited), instantiated()]);
    if (bytes === undefined || bytes === null) return {};
    const { keys, list, deltas } = unpacked(settings.issuer, bytes);
    if (list === null && settings.fetchesRevocations) return {};
    const documents = settings.fetchesRevocations ? { list, deltas } : { list: settings.revocations };
    return { stored: new State(settings, { ...documents, keys: settings.fetchesKeys ? keys : settings.keys }, now) };
  } catch (storeError) {
    return { storeError };
  }
}

/** Brings a stored state that is too old up to date, by each document that holds; it is kept against an older list, or one that contradicts it. */
function brought({ fetchesKeys, fetchesRevocations }, stored, { keys, list }) {
  let isFetched = true;
  let lastError;
  for (const take of [() => fetchesKeys && stored.takeKeys(keys), () => fetchesRevocations && stored.take(list)]) {
    try {
      if (take() === "older") isFetched = false;
    } catch (error) {
      isFetched = false;
      lastError ??= error;
    }
  }
  return { isFetched, lastError };
}
