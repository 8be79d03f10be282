// Everything this page asks of the server, and the one form in which it fails.

export class ApiError extends Error {
  /// `problem`: the problem+json of the server; without one, the connection failed.
  constructor(problem, status = 0) {
    super(problem?.detail ?? "no answer");
    this.code = problem?.code ?? (status === 0 ? "offline" : "internal_error");
    this.detail = problem?.detail ?? "";
    this.hint = problem?.hint ?? "";
    this.field = problem?.field ?? null;
    this.instance = problem?.instance ?? "";
    this.status = status;
  }
}

async function call(path, init = {}) {
  let response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json", ...init.headers }, ...init });
  } catch {
    throw new ApiError(null);
  }
  if (response.status === 204) return null;
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(body, response.status);
  return body;
}

export const listJobs = (cursor) => call(`/api/jobs?limit=10${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
export const getJob = (id) => call(`/api/jobs/${encodeURIComponent(id)}`);
export const getWaterfall = (id) => call(`/api/jobs/${encodeURIComponent(id)}/waterfall`);
export const cancelJob = (id) => call(`/api/jobs/${encodeURIComponent(id)}/cancel`, { method: "POST" });
export const retryJob = (id) => call(`/api/jobs/${encodeURIComponent(id)}/retry`, { method: "POST" });
export const deleteJob = (id) => call(`/api/jobs/${encodeURIComponent(id)}`, { method: "DELETE" });

export const getCaptions = (clip) => call(`/api/clips/${encodeURIComponent(clip)}/captions`);
export const getScenes = (clip) => call(`/api/clips/${encodeURIComponent(clip)}/scenes`);
/// Renders a clip of a finished job anew; without `clipId` adds one.
export const reviseClip = (jobId, { clipId, ...wish }, key) =>
  post(clipId ? `/api/jobs/${encodeURIComponent(jobId)}/rerender` : "/api/clips", clipId ? { clipId, ...wish } : { jobId, ...wish }, key);

/// A node whose database is away answers 503 with its own report: that is news, not a failure of the call.
export async function health() {
  let response;
  try {
    response = await fetch("/api/health");
  } catch {
    throw new ApiError(null);
  }
  return response.json();
}

export const createJob = (uploadId, options, key) => post("/api/jobs", { uploadId, options }, key);

/// The key makes a repeated click, or a repeat after a lost answer, count once.
function post(path, body, key) {
  return call(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": key },
    body: JSON.stringify(body),
  });
}

export const eventsOf = (id) => new EventSource(`/api/jobs/${encodeURIComponent(id)}/events`);

/// When the first of a job's links ends, in seconds since 1970; null: they do not end (http.downloads.signed).
export function linksEnd({ links, clips }) {
  const all = [links, ...clips.map((clip) => clip.links)].flatMap((some) => Object.values(some ?? {}));
  const ends = all.map((link) => Number(new URL(link, location.href).searchParams.get("expires"))).filter(Boolean);
  return ends.length ? Math.min(...ends) : null;
}
