// Follows a job over server-sent events, for as long as it takes: over reconnects, other nodes, and streams that are
// refused because a node serves enough of them.

import * as api from "./api.js";

const kinds = [
  "job.created", "job.started", "job.ready", "job.failed", "job.cancelled", "job.retried", "job.revised",
  "stage.opened", "stage.started", "stage.done", "stage.retried", "stage.failed", "stage.released", "clip.changed",
];
const againMilliseconds = 4000;

/// `onState({job, clips})`, `onEvent(event)`, `onLink(alive)`, `onGone(failure)`.
export function follow(id, { onState, onEvent, onLink, onGone }) {
  let source = null;
  let timer = null;
  let closed = false;
  let newest = 0;

  const open = () => {
    clearTimeout(timer);
    source?.close();
    if (closed) return;
    source = api.eventsOf(id);
    source.addEventListener("open", () => onLink(true));
    for (const name of ["snapshot", "progress"]) {
      source.addEventListener(name, (message) => onState(JSON.parse(message.data)));
    }
    for (const kind of kinds) {
      source.addEventListener(kind, (message) => {
        const event = JSON.parse(message.data);
        if (event.id <= newest) return; // A new stream begins with what we know already.
        newest = event.id;
        onEvent(event);
      });
    }
    source.addEventListener("end", (message) => {
      source.close();
      if (JSON.parse(message.data).status === "deleted") gone({ code: "no_such_job" });
    });
    source.addEventListener("error", () => {
      onLink(false);
      // The browser connects again by itself, except when it was refused.
      if (source.readyState === EventSource.CLOSED) ask();
    });
  };

  /// The stream was refused: the job may be gone, the node full, or the server away.
  const ask = async () => {
    try {
      const state = await api.getJob(id);
      if (closed) return;
      onState(state);
      if (["ready", "error", "cancelled"].includes(state.job.status)) return;
    } catch (failure) {
      if (closed) return;
      if (failure.status === 404) return gone(failure);
    }
    timer = setTimeout(open, againMilliseconds);
  };

  const gone = (failure) => {
    close();
    onGone(failure);
  };
  const close = () => {
    closed = true;
    clearTimeout(timer);
    source?.close();
  };

  open();
  return { close, reopen: open };
}
