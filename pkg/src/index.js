/** What the package exports, the same from each entry. */
export { createVerifier } from "./create-verifier.js";
export { FetchError, KeySetError, ListError, UsageError, VerificationError } from "./errors.js";
