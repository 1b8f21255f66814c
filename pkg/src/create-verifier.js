import { UsageError } from "./errors.js";
import { instantiated } from "./instance.js";
import { verifierSettings } from "./options.js";
import { fetchKeys, fetchRevocations } from "./sources.js";
import { Verifier } from "./verifier.js";

/**
 * Returns a verifier that is ready to judge tokens.
 *
 * What is not given is fetched, both documents at once, and when one fails so does the creation. Nothing that is
 * waited for is shared with another creation: in Workers a request must not wait for another one's I/O.
 */
export async function createVerifier(options) {
  if (options === undefined) throw new UsageError('createVerifier takes options, of which "issuer" and "audience" must be given');
  const settings = verifierSettings(options);
  const failing = new AbortController();
  const signals = [failing.signal, settings.signal];
  try {
    const [keys, revocations] = await Promise.all([
      settings.fetchesKeys ? fetchKeys(settings, signals) : settings.keys,
      settings.fetchesRevocations ? fetchRevocations(settings, signals) : settings.revocations,
      instantiated(),
    ]);
    return new Verifier(settings, keys, revocations);
  } catch (error) {
    failing.abort(); // nobody waits for the other document any more
    throw error;
  }
}
