// The log of the open chat: its rows, and its end, which stays in sight for whoever reads there.

import { part, state } from "./state.js";

export function rowOf(id) {
  return part("log").querySelector(`[data-id="${Number(id)}"]`);
}

export function atEnd() {
  const log = part("log");
  return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
}

export function toEnd() {
  const log = part("log");
  log.scrollTop = log.scrollHeight;
  state.follow = true;
}

part("log").addEventListener("scroll", () => {
  state.follow = atEnd();
});

// The composer and the suggested answers come and go, a telephone is turned: the end stays in sight.
new ResizeObserver(() => state.follow && toEnd()).observe(part("log"));

// A picture gets its height when it has come: whoever was reading the end goes on reading the end.
part("log").addEventListener("load", () => state.follow && toEnd(), true);
