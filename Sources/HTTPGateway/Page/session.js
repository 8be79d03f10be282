// The video that is about to become a job. It outlives the view, so that changing the language or looking at another
// job does not stop an upload.

import * as api from "./api.js";
import { upload } from "./upload.js";

/// `empty` -> `chosen` (a file) -> `sending` -> `starting` (the job is asked for) -> `empty` (the page shows the job)
/// `sending`, `starting` -> `chosen` (cancelled, or failed: then `failure` says why)
export const session = { phase: "empty", file: null, transcript: null, progress: null, failure: null };

const listeners = new Set();
let running = null;

export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function change(values) {
  Object.assign(session, values);
  for (const listener of listeners) listener();
}

export function choose(file) {
  change({ phase: "chosen", file, failure: null, progress: null });
}

export function chooseTranscript(transcript) {
  change({ transcript });
}

export function clear() {
  running?.cancel();
  change({ phase: "empty", file: null, transcript: null, failure: null, progress: null });
}

/// Sends the video and asks for the job. Answers with the job's id, or null when it came to nothing.
export async function start(options) {
  const { file, transcript } = session;
  change({ phase: "sending", failure: null, progress: { sent: 0, total: file.size, bytesPerSecond: 0 } });
  window.addEventListener("beforeunload", holdBack);
  try {
    running = upload(file, transcript, (progress) => change({ progress }));
    const { uploadId } = await running.promise;
    change({ phase: "starting" });
    const key = crypto.randomUUID?.() ?? `${uploadId}-${Date.now()}`;
    const { jobId } = await whenJoined(() => api.createJob(uploadId, options, key));
    change({ phase: "empty", file: null, transcript: null, progress: null });
    return jobId;
  } catch (failure) {
    if (session.file === file) change({ phase: "chosen", failure: failure.name === "AbortError" ? null : failure });
    return null;
  } finally {
    running = null;
    window.removeEventListener("beforeunload", holdBack);
  }
}

/// The parts of a large upload are joined when the last has come, which another request may be at.
async function whenJoined(ask) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask();
    } catch (failure) {
      if (failure.code !== "upload_finishing" || tries === 120) throw failure;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

export function cancel() {
  running?.cancel();
}

/// Whether what is being sent can be paused.
export const canPause = () => Boolean(running?.pause);

export function pause() {
  running?.pause?.();
}

export function resume() {
  running?.resume?.();
}

function holdBack(event) {
  event.preventDefault();
}
