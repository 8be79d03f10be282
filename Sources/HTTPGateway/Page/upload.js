// One upload that goes on where it broke off (tus 1.0, tus.io): after a pause, a lost connection, or a reload of the page;
// at whichever node answers next. The file is sent from disk, slice by slice; the browser holds none of it.
//
// XMLHttpRequest, because fetch does not tell how much of a body has left.

import { ApiError } from "./api.js";

const retryMilliseconds = [0, 500, 1000, 2000, 4000, 8000, 8000, 8000];
const remembered = "tijera.upload.";

/// What tells this file from others, as far as a page can see.
const fingerprint = (file) => `${remembered}${file.name}|${file.size}|${file.lastModified}`;

function recall(file) {
  try {
    return localStorage.getItem(fingerprint(file));
  } catch {
    return null; // Storage may be forbidden: then a reload begins anew.
  }
}

function remember(file, address) {
  try {
    if (address) localStorage.setItem(fingerprint(file), address);
    else localStorage.removeItem(fingerprint(file));
  } catch {
    // As above.
  }
}

/// An upload that the page of another node began: the next file is taken for it if it has its length.
let adopted = null;
export const adopt = (id) => (adopted = `/api/uploads/${id}`);

/// Whether part of this file was sent before.
export const isRemembered = (file) => recall(file) !== null;

/// Sends `file`. `onProgress` gets `{sent, total, bytesPerSecond, isPaused, isRetrying}`. A transcript that comes with it
/// goes along in one form, which cannot be resumed. Answers `{promise, cancel, pause, resume}`; `promise` becomes
/// `{uploadId}`.
export function upload(file, transcript, onProgress) {
  return transcript ? sendForm(file, transcript, onProgress) : sendResumable(file, onProgress);
}

function sendResumable(file, onProgress) {
  const state = { request: null, isPaused: false, isCancelled: false, wake: null, address: recall(file) ?? adopted, sent: 0 };
  adopted = null;
  let speed = speedometer();
  const tell = (values = {}) =>
    onProgress({ sent: state.sent, total: file.size, bytesPerSecond: 0, isPaused: state.isPaused, ...values });
  const stop = () => {
    state.request?.abort();
    state.wake?.();
  };
  const pauseHere = async () => {
    while (state.isPaused && !state.isCancelled) {
      tell();
      await new Promise((resolve) => (state.wake = resolve));
    }
    speed = speedometer();
  };

  async function run() {
    let failures = 0;
    while (true) {
      await pauseHere();
      if (state.isCancelled) throw new DOMException("cancelled", "AbortError");
      const before = state.sent;
      try {
        if (await step()) break;
        failures = 0;
      } catch (error) {
        if (state.isPaused || state.isCancelled) continue;
        failures = state.sent > before ? 1 : failures + 1;
        if (!mayWorkAgain(error) || failures >= retryMilliseconds.length) {
          error.upload = state.address?.split("/").pop();
          throw error;
        }
        tell({ isRetrying: true });
        await new Promise((resolve) => {
          state.wake = resolve;
          setTimeout(resolve, retryMilliseconds[failures]);
        });
      }
    }
    remember(file, null);
    return { uploadId: state.address.split("/").pop() };
  }

  /// Begins, asks where it stands, or sends the rest. True when all of it is there.
  async function step() {
    if (!state.address) {
      const begun = await ask(state, "POST", "/api/uploads", {
        "Upload-Length": String(file.size),
        "Upload-Metadata": `filename ${base64(file.name)}`,
      });
      state.address = begun.getResponseHeader("Location");
      state.sent = 0;
      remember(file, state.address);
    } else {
      try {
        const standing = await ask(state, "HEAD", state.address);
        if (Number(standing.getResponseHeader("Upload-Length")) !== file.size) {
          state.address = null;
          return false;
        }
        remember(file, state.address);
        state.sent = Number(standing.getResponseHeader("Upload-Offset"));
      } catch (error) {
        if (error.status !== 404 && error.status !== 410) throw error;
        remember(file, null);
        state.address = null;
        return false;
      }
    }
    tell();
    if (state.sent >= file.size) return true;
    const offset = state.sent;
    const answer = await ask(
      state,
      "PATCH",
      state.address,
      { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
      file.slice(offset),
      (loaded) => {
        state.sent = offset + loaded;
        tell({ bytesPerSecond: speed(state.sent) });
      },
    );
    state.sent = Number(answer.getResponseHeader("Upload-Offset"));
    return state.sent >= file.size;
  }

  return {
    promise: run(),
    cancel() {
      state.isCancelled = true;
      stop();
      if (state.address) {
        // Nobody waits for the answer; what is left behind expires.
        ask({}, "DELETE", state.address).catch(() => {});
        remember(file, null);
      }
    },
    pause() {
      state.isPaused = true;
      stop();
    },
    resume() {
      state.isPaused = false;
      state.wake?.();
    },
  };
}

/// A lost connection, a node that ends or is overloaded, or a session that another request holds.
const mayWorkAgain = (error) =>
  error.status === 0 || error.status === 409 || error.status === 423 || error.status === 429 || error.status >= 500;

function ask(state, method, address, headers = {}, body = null, onSent = null) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    state.request = request;
    request.open(method, address);
    request.setRequestHeader("Tus-Resumable", "1.0.0");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (onSent) request.upload.addEventListener("progress", (event) => onSent(event.loaded));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve(request);
      else reject(new ApiError(problem(request), request.status));
    });
    request.addEventListener("error", () => reject(new ApiError(null)));
    request.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    request.send(body);
  });
}

function problem(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return null;
  }
}

/// Base64 of a text's UTF-8.
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

function sendForm(file, transcript, onProgress) {
  const request = new XMLHttpRequest();
  const speed = speedometer();
  const promise = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => {
      onProgress({ sent: event.loaded, total: event.total || file.size, bytesPerSecond: speed(event.loaded) });
    });
    request.addEventListener("load", () => {
      if (request.status === 201) resolve(request.response);
      else reject(new ApiError(request.response, request.status));
    });
    request.addEventListener("error", () => reject(new ApiError(null)));
    request.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
  });
  const form = new FormData();
  // The transcript first: it is small, and is refused before the video is sent.
  form.append("transcript", transcript, transcript.name);
  form.append("file", file, file.name);
  request.open("POST", "/api/upload");
  request.responseType = "json";
  request.send(form);
  return { promise, cancel: () => request.abort(), pause: null, resume: null };
}

/// Bytes per second over about the last three seconds.
function speedometer() {
  const samples = [];
  return (sent) => {
    const now = performance.now();
    samples.push([now, sent]);
    while (samples.length > 2 && now - samples[0][0] > 3000) samples.shift();
    const [first, last] = [samples[0], samples[samples.length - 1]];
    return last[0] > first[0] ? ((last[1] - first[1]) * 1000) / (last[0] - first[0]) : 0;
  };
}
