// Who does what: the stages in their order, and a lane of time for each node.

import { colourOf } from "./cluster.js";
import { el, keyed } from "./dom.js";
import { clock, number } from "./format.js";
import { t } from "./i18n.js";
import { passedIn } from "./waterfall.js";

const order = [
  "scan", "probe", "audio", "shots", "transcribe", "transcript", "highlights", "reframe", "render", "check",
  "thumbnail", "publish",
];
/// A bar shorter than this cannot be seen.
const barShareMin = 0.6;
/// Where nothing ran for longer than this, the time is left out: days may lie between the end of a job and a revision.
const pauseMilliseconds = 60_000;

export function workPanel() {
  const steps = el("ol", { class: "steps" });
  const lanes = el("div", { class: "lanes" });
  const axis = el("div", { class: "axis", "aria-hidden": "true" });
  const node = el(
    "section",
    { class: "panel work", "aria-labelledby": "work-title" },
    el("h2", { id: "work-title", text: t("work.title") }),
    steps,
    el("div", { class: "lanes-frame" }, lanes, axis),
  );
  const paintLanes = (job) => {
    const { rows, span } = laneRows(job);
    lanes.parentElement.hidden = rows.length === 0;
    keyed(lanes, rows, (row) => row.node, makeLane, (element, row) => updateLane(element, row));
    axis.replaceChildren(...[0, 0.25, 0.5, 0.75, 1].map((share) => el("span", { text: clock(span * share) })));
  };
  return {
    node,
    update(job) {
      keyed(steps, stepsOf(job), (step) => step.name, makeStep, updateStep);
      paintLanes(job);
    },
    /// Lets the bars of running stages grow between two messages.
    tick(job) {
      if (job.status === "processing") paintLanes(job);
    },
  };
}

function stepsOf(job) {
  return order.map((name) => {
    const stages = job.stages.filter((stage) => stage.name === name);
    const done = stages.filter((stage) => stage.state === "done").length;
    const state = stages.some((stage) => stage.state === "failed") ? "failed"
      : stages.some((stage) => stage.state === "running") ? "running"
      : stages.length > 0 && done === stages.length ? "done"
      : stages.some((stage) => stage.state === "cancelled") ? "cancelled"
      : stages.length > 0 ? "ready" : "later";
    return { name, stages, done, state };
  });
}

function makeStep() {
  return el("li", { class: "step" }, el("span", { class: "step-name" }), el("span", { class: "step-count" }), el("span", { class: "step-cells" }));
}

function updateStep(element, step) {
  element.className = `step is-${step.state}`;
  const [name, count, cells] = element.children;
  name.textContent = t(`stage.${step.name}`);
  count.textContent = step.stages.length > 1 ? `${step.done}/${step.stages.length}` : "";
  const shown = step.stages.length ? step.stages : [{ index: 0, state: "later", progress: 0 }];
  keyed(cells, shown, (stage) => stage.index, () => el("span", { class: "cell" }, el("i")), (cell, stage) => {
    cell.className = `cell is-${stage.state}`;
    cell.style.setProperty("--node", colourOf(stage.node));
    cell.firstChild.style.width = `${stage.state === "done" ? 100 : stage.state === "running" ? Math.max(6, 100 * stage.progress) : 0}%`;
    cell.title = [t(`state.${stage.state}`), stage.node, stage.reused ? t("work.reused") : null, stage.attempts > 1 ? t("work.attempt", { n: number(stage.attempts) }) : null]
      .filter(Boolean).join(" · ");
  });
  const nodes = [...new Set(step.stages.map((stage) => stage.node).filter(Boolean))];
  element.setAttribute("aria-label", [t(`stage.${step.name}`), t(`state.${step.state}`), count.textContent, ...nodes].filter(Boolean).join(", "));
}

/// Bars of each node, in shares of the time from the first start to now, without long pauses.
function laneRows(job) {
  const begun = job.stages.filter((stage) => stage.node && stage.startedAt);
  if (!begun.length) return { rows: [], span: 0 };
  const told = begun.flatMap((stage) => [stage.startedAt, stage.endedAt ?? stage.startedAt]).map(Date.parse);
  // The clocks of browser and server differ: running time counts only where it goes beyond what the server told.
  const now = Math.max(...told, Date.now());
  const spans = begun.map((stage) =>
    [Date.parse(stage.startedAt), stage.state === "running" ? now : Date.parse(stage.endedAt ?? stage.startedAt)]);
  const rounds = [];
  for (const [from, to] of spans.sort(([one], [two]) => one - two)) {
    const last = rounds.at(-1);
    if (!last || from - last[1] > pauseMilliseconds) rounds.push([from, to]);
    else last[1] = Math.max(last[1], to);
  }
  const passed = passedIn(rounds);
  const length = Math.max(passed(Infinity), 1000);
  const share = (time) => (100 * passed(time)) / length;
  const rows = [...new Set(begun.map((stage) => stage.node))].sort().map((node) => ({
    node,
    bars: packed(begun.filter((stage) => stage.node === node).map((stage) => {
      const from = share(Date.parse(stage.startedAt));
      const to = stage.state === "running" ? 100 : share(Date.parse(stage.endedAt ?? stage.startedAt));
      return { stage, from, width: Math.max(barShareMin, to - from) };
    })),
  }));
  return { rows, span: length / 1000 };
}

/// Gives bars that overlap a track each: a node may run several stages at one time.
function packed(bars) {
  const tracks = [];
  for (const bar of bars.sort((one, two) => one.from - two.from)) {
    let track = tracks.findIndex((end) => end <= bar.from + 0.01);
    if (track < 0) track = tracks.push(0) - 1;
    tracks[track] = bar.from + bar.width;
    bar.track = track;
  }
  return { list: bars, tracks: Math.max(1, tracks.length) };
}

function makeLane() {
  return el("div", { class: "lane" }, el("span", { class: "lane-name" }), el("div", { class: "lane-bars", role: "list" }));
}

function updateLane(element, row) {
  const [name, bars] = element.children;
  element.style.setProperty("--node", colourOf(row.node));
  name.textContent = row.node;
  bars.style.setProperty("--tracks", row.bars.tracks);
  keyed(bars, row.bars.list, ({ stage }) => `${stage.name}-${stage.index}`, () => el("span", { class: "lane-bar", role: "listitem" }, el("span")), (bar, item) => {
    const { stage } = item;
    const title = stage.index > 0 || fansOut(stage.name) ? `${t(`stage.${stage.name}`)} ${number(stage.index + 1)}` : t(`stage.${stage.name}`);
    bar.className = `lane-bar is-${stage.state} kind-${stage.name}`;
    bar.firstChild.textContent = title;
    bar.title = `${title} · ${t(`state.${stage.state}`)}`;
    bar.style.left = `${item.from}%`;
    bar.style.width = `${item.width}%`;
    bar.style.setProperty("--track", item.track);
  });
}

function fansOut(name) {
  return ["transcribe", "reframe", "render", "check", "thumbnail"].includes(name);
}
