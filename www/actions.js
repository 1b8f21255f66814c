/**
 * What a person can do on the page, by name. The views call these and nothing else.
 *
 * @module actions
 */

import { createAttempt } from "./attempt.js";
import { bytes, counted } from "./format.js";
import { ATTACKS } from "./tamper.js";

/**
 * Every action of the page.
 *
 * @param {{api: object, store: object, record: Function, judging: object, following: object, issuing: object, network: object, wake: Function}} parts
 */
export function createActions(parts) {
  const attempt = createAttempt(parts.store, parts.record);
  return {
    ...issuerActions(parts, attempt),
    ...tokenActions(parts, attempt),
    ...listActions(parts, attempt),
    ...networkActions(parts),
  };
}

function issuerActions({ store, issuing, judging }, attempt) {
  const atIssuer = (place, task) => attempt(place, "issuer", task);
  return {
    signIn: (credentials) => atIssuer("signIn", () => issuing.signIn(credentials)),
    signOut: () => issuing.signOut(),
    mint: async (request) => {
      if (await atIssuer("mint", () => issuing.mint(request))) await judging.verify();
    },
    refresh: () => atIssuer("session", () => issuing.refresh()),
    retry: () => atIssuer("session", () => issuing.retry()),
    reuse: () => atIssuer("session", () => issuing.reuse()),
    revokeToken: () => atIssuer("session", () => issuing.revokeToken()),
    endSession: () => atIssuer("session", () => issuing.endSession()),

    /** What has this name is revoked: `{subject}`, `{session}` or `{client}`. */
    revokeBy: (request) => atIssuer("revoking", () => issuing.revokeBy(request)),

    /** Everything is revoked, but only when this was asked for before. */
    revokeAll() {
      if (!store.read().armed) return store.change({ armed: true });
      store.change({ armed: false });
      return atIssuer("revoking", () => issuing.revokeBy({ all: true }));
    },

    /** Everything is not revoked after all. */
    disarm: () => store.change({ armed: false }),
  };
}

function tokenActions({ store, record, judging }, attempt) {
  return {
    verify: () => attempt("token", "verifier", () => judging.verify()),
    edit: (text) => judging.show(text.trim()),

    /** The editor holds a token that another tab has handed over. */
    receive(token) {
      judging.show(token.trim());
      record({ side: "you", text: "Opened with the token of another tab." });
      return judging.verify();
    },

    /** The editor holds the genuine token again, judged and timed. */
    restore() {
      judging.show(store.read().source);
      record({ side: "you", text: "Restored the genuine token." });
      return judging.verify();
    },

    /** The editor holds what this attack makes of the genuine token. */
    tamper(id) {
      const attack = ATTACKS.find((candidate) => candidate.id === id);
      const { source, text } = store.read();
      judging.show(attack.apply(source || text));
      record({ side: "you", text: `Tampered: ${attack.story}` });
      return judging.verify();
    },

    /** The verifier asks for this scope; empty asks for none. */
    requireScope(scope) {
      store.change({ scope: scope.split(/\s+/).filter(Boolean).join(" "), timing: null });
      judging.judge();
    },

    /** The verifier judges as if its clock stood `seconds` later. */
    judgeAsOf(seconds) {
      store.change({ asOf: seconds, timing: null });
      judging.judge();
    },

    /** The verifier stands for this audience. */
    expectAudience: (audience) => attempt("list", "verifier", () => judging.open(store.read().issuer, audience.trim())),
  };
}

function listActions({ api, store, record, judging, network }, attempt) {
  /** The page knows its issuer and has a verifier, or says why not. */
  const connect = () => attempt("list", "verifier", async () => {
    const { issuer } = await api.metadata();
    network.setIssuer(issuer);
    store.change({ issuer });
    await judging.open(issuer, store.read().audience);
    const { list } = store.read();
    record({ side: "verifier", text: `Keys and list are here: ${counted(list.keys.length, "key", "keys")}, a list of ${bytes(list.bytes)}. From here on it judges alone and follows by itself.` });
    store.change({ ready: await api.readiness().then(() => true, () => false) });
  });

  return {
    connect,

    /** The newest list is fetched on request and its size is written into the log. */
    fetchList: () => !judging.isOpen ? connect() : attempt("list", "verifier", async () => {
      await judging.fetchList();
      const { list } = store.read();
      record({ side: "verifier", text: `Fetched list ${list.seq}: ${bytes(list.bytes)}, ${counted(list.entries, "entry", "entries")}.` });
    }),
  };
}

function networkActions({ store, record, following, network, wake }) {
  return {
    /** The page sends requests, or refuses to. */
    setNetwork(on) {
      network.setOn(on);
      store.change({ networkOn: on });
      record({ side: "network", text: on ? "Network switched on." : "Network switched off: nothing leaves this page, and its stream has ended. The verifier judges on." });
      following.look();
      if (on) wake();
    },

    /** The browser says that the machine went on or off line. */
    setOnline(online) {
      if (store.read().online === online) return;
      store.change({ online });
      following.look();
      record({ side: "network", text: online ? "This machine is online again." : "This machine is offline. The verifier judges on." });
    },
  };
}
