/**
 * Keeps what a verifier knows in IndexedDB, for pages and service workers.
 *
 * @param {{ database?: string, key?: string }} [options]
 */
export function indexedDbStore({ database = "countersign", key = "state" } = {}) {
  return {
    async load() {
      return inDatabase(database, "readonly", (states) => states.get(key));
    },
    async save(bytes) {
      await inDatabase(database, "readwrite", (states) => states.put(bytes, key));
    },
  };
}

const STATES = "states";

/** Opened anew each time: a connection that is kept would block whoever wants to delete the database. */
async function inDatabase(name, mode, act) {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STATES);
  const database = await succeeded(opening);
  try {
    const transaction = database.transaction(STATES, mode);
    const committed = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const request = act(transaction.objectStore(STATES));
    await committed;
    return request.result;
  } finally {
    database.close();
  }
}

function succeeded(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("the database is in use by another version of this page"));
  });
}
