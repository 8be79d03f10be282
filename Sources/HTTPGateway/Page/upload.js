// One upload. XMLHttpRequest, because fetch does not tell how much of a body has left. The form holds a reference to the
// file; the browser reads it from disk as it sends.

import { ApiError } from "./api.js";

/// Sends `file` and, if there is one, `transcript`. `onProgress` gets `{sent, total, bytesPerSecond}`.
export function upload(file, transcript, onProgress) {
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
  if (transcript) form.append("transcript", transcript, transcript.name);
  form.append("file", file, file.name);
  request.open("POST", "/api/upload");
  request.responseType = "json";
  request.send(form);
  return { promise, cancel: () => request.abort() };
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
