import { UsageError } from "./errors.js";
import { instantiated } from "./instance.js";
import { seconds, verifierSettings } from "./options.js";
import { createWithStore } from "./persistence.js";
import { Sources } from "./sources.js";
import { State } from "./state.js";
import { Verifier } from "./verifier.js";

/**
 * Returns a verifier that is ready to judge tokens.
 *
 * What is not given is fetched, both documents at once, and when one fails so does the creation. With a store that is
 * not so; see persistence.js. Nothing that is waited for is shared with another creation: in Workers a request must not
 * wait for another one's I/O.
 */
export async function createVerifier(options) {
  if (options === undefined) throw new UsageError('createVerifier takes options: "issuer" and "audience" must be given');
  const settings = verifierSettings(options);
  const now = () => seconds(settings.now());
  if (settings.store !== undefined) return createWithStore(settings, now, () => fetchedDocuments(settings));
  const state = new State(settings, await fetchedDocuments(settings), now);
  return new Verifier(settings, state, { isFetched: settings.fetchesKeys || settings.fetchesRevocations });
}

/** Returns the documents that are fetched and those that are given. */
async function fetchedDocuments(settings) {
  if (!settings.fetchesKeys && !settings.fetchesRevocations) {
    await instantiated(); // and that is all: the first AbortController of a process takes 0.2 ms
    return { keys: settings.keys, list: settings.revocations };
  }
  const failing = new AbortController();
  const signals = [failing.signal, settings.signal];
  const sources = new Sources(settings);
  try {
    const [keys, list] = await Promise.all([
      settings.fetchesKeys ? sources.keys(...signals) : settings.keys,
      settings.fetchesRevocations ? sources.list(...signals) : settings.revocations,
      instantiated(),
    ]);
    return { keys, list };
  } catch (error) {
    failing.abort(); // nobody waits for the other document any more
    throw error;
  }
}
