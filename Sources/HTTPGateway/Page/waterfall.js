// Where the time of a job went: a row for each stage, a bar for each attempt, in the colour of the node that made it.

import * as api from "./api.js";
import { colourOf } from "./cluster.js";
import { el, keyed } from "./dom.js";
import { errorNotice } from "./errors.js";
import { bytes, clock, number, span } from "./format.js";
import { t } from "./i18n.js";

/// While it is open and the job runs, it is asked for at most so often.
const refreshMilliseconds = 2000;
/// A bar shorter than this cannot be seen.
const barShareMin = 0.5;

export function waterfallPanel(id) {
  const sum = el("p", { class: "waterfall-sum" });
  const rows = el("ol", { class: "waterfall-rows" });
  const axis = el("div", { class: "waterfall-axis", "aria-hidden": "true" });
  const note = el("p", { class: "waterfall-note" });
  const trouble = el("div", { class: "waterfall-trouble" });
  const node = el(
    "details",
    { class: "panel waterfall" },
    el("summary", { text: t("waterfall.title") }),
    el("div", { class: "waterfall-body" }, trouble, sum, rows, axis, note),
  );
  let askedAt = 0;
  let shownStatus = null;
  let isAsking = false;

  const load = async () => {
    if (isAsking) return;
    isAsking = true;
    askedAt = Date.now();
    try {
      const { waterfall } = await api.getWaterfall(id);
      shownStatus = waterfall.status;
      trouble.replaceChildren();
      paint(waterfall);
    } catch (failure) {
      trouble.replaceChildren(errorNotice(failure));
    }
    isAsking = false;
  };

  const paint = (waterfall) => {
    const { rounds, end, length, passed } = timeline(waterfall);
    const share = (time) => Math.min(100, Math.max(0, (100 * passed(time)) / length));
    keyed(rows, waterfall.stages.filter((stage) => stage.attempts.length), (stage) => `${stage.name}-${stage.index}`, makeRow,
      (row, stage) => updateRow(row, stage, share, end));
    axis.replaceChildren(...[0, 0.25, 0.5, 0.75, 1].map((part) => el("span", { text: clock((length / 1000) * part) })));
    const attempts = waterfall.stages.flatMap((stage) => stage.attempts);
    const total = (field) => attempts.reduce((all, attempt) => all + (attempt[field] ?? 0), 0);
    sum.textContent = t("waterfall.sum", {
      queue: seconds(total("queueSeconds")), run: seconds(total("runSeconds")), cpu: seconds(total("cpuSeconds")),
      bytes: bytes(waterfall.stages.reduce((all, stage) => all + (stage.reused ? 0 : stage.bytes ?? 0), 0)),
    });
    note.textContent = [
      rounds.length > 1 ? t("waterfall.rounds", { n: number(rounds.length) }) : null,
      waterfall.isComplete ? null : t("waterfall.partial"),
    ].filter(Boolean).join(" ");
  };

  node.addEventListener("toggle", () => node.open && load());
  return {
    node,
    update(job) {
      if (!node.open) return;
      const isOver = job.status === shownStatus && !["pending", "processing"].includes(job.status);
      const isDue = job.status !== shownStatus || Date.now() - askedAt > refreshMilliseconds;
      if (!isOver && isDue) load();
    },
  };
}

/// How much of the rounds `[from, to]` lies before a time: a clock that stands still between them.
export const passedIn = (rounds) => (time) =>
  rounds.reduce((sum, [from, to]) => sum + Math.min(Math.max(time - from, 0), Math.max(to - from, 0)), 0);

/// The time of the job without the pauses between its rounds of work: days may lie between its end and a revision.
function timeline(waterfall) {
  const told = waterfall.rounds ?? [{ startedAt: waterfall.createdAt, endedAt: waterfall.endedAt }];
  const rounds = told.map((round) => [Date.parse(round.startedAt), Date.parse(round.endedAt ?? waterfall.at)]);
  const passed = passedIn(rounds);
  const end = rounds.at(-1)[1];
  return { rounds, end, passed, length: Math.max(passed(end), 1000) };
}

function makeRow() {
  return el(
    "li",
    { class: "waterfall-row" },
    el("span", { class: "waterfall-name" }),
    el("div", { class: "waterfall-track", "aria-hidden": "true" }),
    el("span", { class: "waterfall-figures" }),
  );
}

function updateRow(row, stage, share, end) {
  const [name, track, figures] = row.children;
  name.textContent = fansOut.has(stage.name)
    ? `${t(`stage.${stage.name}`)} ${number(stage.index + 1)}` : t(`stage.${stage.name}`);
  keyed(track, pieces(stage, share, end), (piece) => piece.key, (piece) => el("span", { class: `waterfall-${piece.kind}` }), (bar, piece) => {
    if (piece.kind === "bar") bar.className = `waterfall-bar is-${piece.attempt.outcome}`;
    bar.style.setProperty("--node", colourOf(piece.attempt.node));
    bar.style.left = `${piece.from}%`;
    bar.style.width = `${piece.width}%`;
    bar.title = [sentence(piece.attempt), traffic(piece.attempt)].filter(Boolean).join(" · ");
  });
  const lines = stage.attempts.map((attempt, index) => ({ attempt, index }));
  keyed(figures, lines, (line) => line.index, () => el("span", { class: "waterfall-line" }), (line, { attempt, index }) => {
    line.style.setProperty("--node", colourOf(attempt.node));
    line.classList.toggle("has-node", Boolean(attempt.node));
    const isLast = index === stage.attempts.length - 1;
    line.textContent = [
      stage.attempts.length > 1 ? t("work.attempt", { n: number(index + 1) }) : null,
      sentence(attempt),
      isLast && stage.reused ? t("work.reused") : null,
      isLast && stage.bytes ? bytes(stage.bytes) : null,
    ].filter(Boolean).join(" · ");
    line.title = traffic(attempt);
  });
}

/// Of every attempt: the wait for a node, then the work.
function pieces(stage, share, end) {
  return stage.attempts.flatMap((attempt, index) => {
    const begun = attempt.startedAt ? Date.parse(attempt.startedAt) : end;
    const waitedFrom = attempt.queueSeconds === undefined ? Date.parse(attempt.openedAt) : begun - 1000 * attempt.queueSeconds;
    const list = [];
    if (begun > waitedFrom) {
      list.push({ key: `wait-${index}`, kind: "wait", attempt, from: share(waitedFrom), width: share(begun) - share(waitedFrom) });
    }
    if (attempt.startedAt) {
      const ended = attempt.endedAt ? Date.parse(attempt.endedAt) : end;
      const width = Math.max(barShareMin, share(ended) - share(begun));
      list.push({ key: `bar-${index}`, kind: "bar", attempt, from: Math.min(share(begun), 100 - width), width });
    }
    return list;
  });
}

function sentence(attempt) {
  return [
    attempt.node ?? null,
    attempt.outcome === "done" ? null : t(`waterfall.outcome.${attempt.outcome}`),
    attempt.queueSeconds === undefined ? null : t("waterfall.waited", { time: seconds(attempt.queueSeconds) }),
    attempt.runSeconds === undefined ? null : t("waterfall.ran", { time: seconds(attempt.runSeconds) }),
    // What was reused took nothing, and says so by itself.
    attempt.cpuSeconds ? t("waterfall.cpu", { time: seconds(attempt.cpuSeconds) }) : null,
  ].filter(Boolean).join(" · ");
}

function traffic(attempt) {
  return [
    attempt.bytesRead ? t("waterfall.read", { bytes: bytes(attempt.bytesRead) }) : null,
    attempt.bytesWritten ? t("waterfall.wrote", { bytes: bytes(attempt.bytesWritten) }) : null,
    attempt.memoryPeakBytes ? t("waterfall.memory", { bytes: bytes(attempt.memoryPeakBytes) }) : null,
  ].filter(Boolean).join(" · ");
}

function seconds(value) {
  const text = value >= 60 ? span(value) : t("time.seconds", { n: number(value, value < 10 ? 2 : 1) });
  return text.replaceAll(" ", "\u00a0"); // A number and its unit stay on one line.
}

const fansOut = new Set(["transcribe", "reframe", "render", "check", "thumbnail"]);
