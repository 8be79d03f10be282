// How interesting the video is along its length, with the stretches that became clips.

import { el } from "./dom.js";
import { clock, number } from "./format.js";
import { t } from "./i18n.js";

const svgNames = "http://www.w3.org/2000/svg";
const width = 1000;
const height = 120;

export function interestPanel() {
  const curve = shape("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", class: "interest-curve" });
  const axis = el("div", { class: "interest-axis", "aria-hidden": "true" });
  const title = el("h2", { id: "interest-title" });
  const node = el("section", { class: "panel interest", "aria-labelledby": "interest-title", hidden: true },
    title, el("p", { class: "interest-note", text: t("interest.note") }), curve, axis);
  let shown = null;
  return {
    node,
    update({ job, clips }) {
      const points = job.interest ?? [];
      const length = job.durationSeconds ?? 0;
      node.hidden = points.length < 2 || length <= 0;
      if (node.hidden) return;
      const ranges = clips.map((clip) => ({ id: clip.id, start: clip.start, end: clip.end, title: clip.title }));
      const version = JSON.stringify([points.length, length, ranges]);
      if (version === shown) return; // Nothing is drawn anew while a video is encoded.
      shown = version;
      title.textContent = t("interest.title");
      const x = (second) => (width * Math.min(second, length)) / length;
      curve.setAttribute("role", "img");
      curve.setAttribute("aria-label", spoken(points, ranges));
      curve.replaceChildren(
        ...ranges.map((range) => clipRange(range, x)),
        shape("path", { d: area(points, x), class: "interest-area", "aria-hidden": "true" }),
      );
      axis.replaceChildren(...[0, 0.25, 0.5, 0.75, 1].map((part) => el("span", { text: clock(length * part) })));
    },
  };
}

/// A step for each point, down to the ground at both ends.
function area(points, x) {
  const y = (value) => (height * (1 - 0.92 * value)).toFixed(1);
  const line = points.map((point) => `${x(point.start).toFixed(1)} ${y(point.value)}`);
  const last = points[points.length - 1];
  return `M0 ${height}L${line.join("L")}L${width} ${y(last.value)}L${width} ${height}Z`;
}

function clipRange({ id, start, end, title }, x) {
  const mark = shape("rect", {
    x: x(start).toFixed(1), y: 0, width: Math.max(3, x(end) - x(start)).toFixed(1), height, class: "interest-clip",
  });
  const name = shape("title", {});
  name.textContent = `${clock(start)} – ${clock(end)} · ${title}`;
  mark.append(name);
  mark.addEventListener("click", () => document.querySelector(`[data-key="${id}"]`)?.scrollIntoView({ block: "center" }));
  return mark;
}

function spoken(points, ranges) {
  const best = points.reduce((one, two) => (two.value > one.value ? two : one));
  return t("interest.spoken", {
    n: number(ranges.length), best: clock(best.start),
    clips: ranges.map((range) => `${clock(range.start)} – ${clock(range.end)}`).join(", "),
  });
}

function shape(name, attributes) {
  const node = document.createElementNS(svgNames, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
