/**
 * Puts the console together. Only this file touches the browser's clock, its fetch and its events; all
 * others are given what they need.
 *
 * @module main
 */

import { VerificationError, createVerifier } from "countersign";
import { createActions } from "./actions.js";
import { createApi } from "./api.js";
import { createFeedView } from "./feed-view.js";
import { createFormsView } from "./forms-view.js";
import { createFrameView } from "./frame-view.js";
import { Following } from "./following.js";
import { Issuing } from "./issuing.js";
import { Judging } from "./judging.js";
import { createListView } from "./list-view.js";
import { createRecorder } from "./log.js";
import { createLogView } from "./log-view.js";
import { createNetwork } from "./network.js";
import { createPipelineView } from "./pipeline-view.js";
import { createRevokingView } from "./revoking-view.js";
import { createSessionView } from "./session-view.js";
import { INITIAL, createStore } from "./state.js";
import { createStripView } from "./strip-view.js";
import { createTabs } from "./tabs.js";
import { createTokenView } from "./token-view.js";
import { createVerdictView } from "./verdict-view.js";

const TICK_MS = 1000;

/** The browser's clocks: the date for tokens and logs, the monotonic one for measurements, one that tabs share for latencies. */
const CLOCK = Object.freeze({
  seconds: () => Math.floor(Date.now() / 1000),
  milliseconds: () => Date.now(),
  precise: () => performance.now(),
  shared: () => performance.timeOrigin + performance.now(),
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
});

function createParts(clock) {
  const store = createStore({ ...INITIAL, online: navigator.onLine }, queueMicrotask);
  const record = createRecorder(store, clock);
  const network = createNetwork(globalThis.fetch.bind(globalThis), location.origin);
  const api = createApi(network.fetch);
  const following = new Following({ store, record, clock });
  const judging = new Judging({ createVerifier, VerificationError, fetch: network.fetch, store, record, clock, following });
  const tabs = createTabs(new BroadcastChannel("countersign"), (answer) => following.expect({ ...answer, own: false }));
  const issuing = new Issuing({ api, store, record, judging, following, tabs, clock });
  const wake = () => dispatchEvent(new Event("online")); // the verifier tries at once instead of waiting for its next turn
  const actions = createActions({ api, store, record, judging, following, issuing, network, wake });
  return { store, judging, following, actions };
}

function createViews(actions, clock) {
  const views = [
    createFrameView(actions),
    createVerdictView(),
    createFormsView(actions),
    createSessionView(actions, clock),
    createRevokingView(actions),
    createTokenView(actions, clock),
    createPipelineView(),
    createListView(actions, clock),
    createStripView(clock, matchMedia("(prefers-reduced-motion: reduce)")),
    createFeedView(),
    createLogView(),
  ];
  return (state) => views.forEach((render) => render(state));
}

/** What happens by itself: the clocks run, the verifier is looked at, the machine goes on and off line. */
function keepUp({ store, judging, following, actions }, render) {
  setInterval(() => {
    following.look();
    judging.judge();
    render(store.read());
  }, TICK_MS);
  for (const type of ["online", "offline"]) addEventListener(type, () => actions.setOnline(navigator.onLine));
}

/**
 * The console is on the page and connected to its issuer; with credentials it is signed in as well, and with a token
 * it judges that.
 *
 * @param {{credentials: {clientId: string, clientSecret: string} | null, token: string | null}} handed
 */
export async function start({ credentials, token }) {
  const parts = createParts(CLOCK);
  const render = createViews(parts.actions, CLOCK);
  parts.store.watch(render);
  keepUp(parts, render);
  await parts.actions.connect();
  if (token !== null) parts.actions.receive(token);
  if (credentials !== null) await parts.actions.signIn(credentials);
}
