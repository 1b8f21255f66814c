/**
 * Puts the console together. Only this file touches the browser's clock, its fetch and its events; all
 * others are given what they need.
 *
 * @module main
 */

import { VerificationError, createVerifier } from "countersign";
import { createActions } from "./actions.js";
import { createApi } from "./api.js";
import { wireReason } from "./availability.js";
import { createFormsView } from "./forms-view.js";
import { createFrameView } from "./frame-view.js";
import { Issuing } from "./issuing.js";
import { Judging } from "./judging.js";
import { createListView } from "./list-view.js";
import { createRecorder } from "./log.js";
import { createLogView } from "./log-view.js";
import { createNetwork } from "./network.js";
import { createPipelineView } from "./pipeline-view.js";
import { createSessionView } from "./session-view.js";
import { INITIAL, createStore } from "./state.js";
import { createTokenView } from "./token-view.js";
import { createVerdictView } from "./verdict-view.js";

const TICK_MS = 1000;
const FOLLOW_MS = 5000;

/** The browser's clocks: the date for tokens and logs, the monotonic one for measurements. */
const CLOCK = Object.freeze({
  seconds: () => Math.floor(Date.now() / 1000),
  milliseconds: () => Date.now(),
  precise: () => performance.now(),
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
});

function createParts(clock) {
  const store = createStore({ ...INITIAL, online: navigator.onLine }, queueMicrotask);
  const record = createRecorder(store, clock);
  const network = createNetwork(globalThis.fetch.bind(globalThis), location.origin);
  const api = createApi(network.fetch);
  const judging = new Judging({ createVerifier, VerificationError, fetch: network.fetch, store, record, clock });
  const issuing = new Issuing({ api, store, record, judging, clock });
  const actions = createActions({ api, store, record, judging, issuing, network });
  return { store, judging, actions };
}

function createViews(actions, clock) {
  const views = [
    createFrameView(actions),
    createVerdictView(),
    createFormsView(actions),
    createSessionView(actions, clock),
    createTokenView(actions, clock),
    createPipelineView(),
    createListView(actions, clock),
    createLogView(),
  ];
  return (state) => views.forEach((render) => render(state));
}

/** What happens by itself: the clocks run, the list is followed, the machine goes on and off line. */
function keepUp({ store, judging, actions }, render) {
  setInterval(() => {
    judging.judge();
    render(store.read());
  }, TICK_MS);
  setInterval(() => {
    const state = store.read();
    if (state.follow && wireReason(state) === null && !document.hidden) actions.followList();
  }, FOLLOW_MS);
  addEventListener("online", () => actions.setOnline(true));
  addEventListener("offline", () => actions.setOnline(false));
}

/**
 * The console is on the page and connected to its issuer; with credentials it is signed in as well.
 *
 * @param {{clientId: string, clientSecret: string} | null} credentials
 */
export async function start(credentials) {
  const parts = createParts(CLOCK);
  const render = createViews(parts.actions, CLOCK);
  parts.store.watch(render);
  keepUp(parts, render);
  await parts.actions.connect();
  if (credentials !== null) await parts.actions.signIn(credentials);
}
