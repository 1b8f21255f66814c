/**
 * What a person can do on the page. One request runs at a time; a failure becomes a notice at its place
 * on the page and a line in the log, and never an unhandled error.
 *
 * @module actions
 */

import { ApiError } from "./fault.js";
import { bytes, counted } from "./format.js";
import { ATTACKS } from "./tamper.js";

/** What to do about an error of the verifier that is not a token's fault. */
const ADVICE = Object.freeze({
  ERR_FETCH: "Switch the network on, or see whether the daemon is running. Verification works without it.",
  ERR_USAGE: "Correct what this verifier asks for.",
  ERR_JWKS_INVALID: "The keys held before stay in use. Look into the daemon’s log.",
  ERR_REVLIST_INVALID: "The list held before stays in use. Look into the daemon’s log.",
  ERR_REVLIST_FUTURE: "The clock of this machine or of the issuer is wrong by more than a day. Correct it.",
  ERR_REVLIST_EQUIVOCATION: "Alarm: the issuer has signed two lists of one number. Tell its operator.",
});

/** A failure as a notice: what happened, its code, and what to do. */
function noticeOf(error) {
  if (error instanceof ApiError) return { text: error.message, code: error.code, advice: error.advice };
  const code = error.code ?? error.name;
  return { text: error.message, code, advice: ADVICE[code] ?? "Load the page again; if it stays so, look into the daemon’s log." };
}

/** Whether two notices, or none, say the same. */
const saysTheSame = (one, other) => one?.code === other?.code && one?.text === other?.text;

/**
 * The actions, each bound to the state.
 *
 * @param {{api: object, store: object, record: Function, judging: object, issuing: object, network: object}} parts
 */
export function createActions({ api, store, record, judging, issuing, network }) {
  /** The place shows this notice, or none. One that is there already is left alone, so that it is announced once. */
  const setNotice = (place, notice) => {
    const { notices } = store.read();
    if (!saysTheSame(notices[place], notice)) store.change({ notices: { ...notices, [place]: notice } });
  };

  /** Runs `task` alone; true when it succeeded, else its failure is shown at `place`. */
  async function attempt(place, side, task) {
    if (store.read().busy !== null) return false;
    store.change({ busy: place });
    setNotice(place, null);
    try {
      await task();
      return true;
    } catch (error) {
      const notice = noticeOf(error);
      setNotice(place, notice);
      record({ side, tone: "bad", text: `${notice.text}. ${notice.advice}`, code: notice.code });
      return false;
    } finally {
      store.change({ busy: null });
    }
  }

  const atIssuer = (place, task) => attempt(place, "issuer", task);

  /** The page knows its issuer and has a verifier, or says why not. */
  const connect = () => attempt("list", "verifier", async () => {
    const { issuer } = await api.metadata();
    network.setIssuer(issuer);
    store.change({ issuer });
    await judging.open(issuer, store.read().audience);
    const { list } = store.read();
    record({ side: "verifier", text: `Keys and list fetched once: ${counted(list.keys.length, "key", "keys")}, a list of ${bytes(list.bytes)}. From here on it can judge alone.` });
    store.change({ ready: await api.readiness().then(() => true, () => false) });
  });

  return {
    connect,
    signIn: (credentials) => atIssuer("signIn", () => issuing.signIn(credentials)),
    signOut: () => issuing.signOut(),
    mint: async (request) => {
      if (await atIssuer("mint", () => issuing.mint(request))) await judging.verify();
    },
    refresh: () => atIssuer("session", issuing.refresh),
    retry: () => atIssuer("session", issuing.retry),
    reuse: () => atIssuer("session", issuing.reuse),
    revokeToken: () => atIssuer("session", issuing.revokeToken),
    endSession: () => atIssuer("session", issuing.endSession),
    verify: () => attempt("token", "verifier", judging.verify),
    edit: (text) => judging.show(text.trim()),

    /** The editor holds the genuine token again, judged and timed. */
    restore() {
      judging.show(store.read().source);
      record({ side: "you", text: "Restored the genuine token." });
      return judging.verify();
    },

    /** The editor holds what this attack makes of the token in it. */
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

    /** The newest list is fetched on request and its size is written into the log. */
    fetchList: () => !judging.isOpen() ? connect() : attempt("list", "verifier", async () => {
      await judging.fetchList();
      const { list } = store.read();
      record({ side: "verifier", text: `Fetched list ${list.seq}: ${bytes(list.bytes)}, ${counted(list.entries, "entry", "entries")}.` });
    }),

    /** The list is fetched without a word in the log; a failure only shows at the list. */
    async followList() {
      if (store.read().busy !== null || !judging.isOpen()) return;
      await judging.fetchList().then(() => setNotice("list", null), (error) => setNotice("list", noticeOf(error)));
    },

    /** The page fetches the list by itself, or only on request. */
    setFollow(follow) {
      store.change({ follow });
    },

    /** The page sends requests, or refuses to. */
    setNetwork(on) {
      network.setOn(on);
      store.change({ networkOn: on });
      record({ side: "network", text: on ? "Network switched on." : "Network switched off: nothing leaves this page. The verifier judges on." });
    },

    /** The browser says that the machine went on or off line. */
    setOnline(online) {
      if (store.read().online === online) return;
      store.change({ online });
      record({ side: "network", text: online ? "This machine is online again." : "This machine is offline. The verifier judges on." });
    },
  };
}
