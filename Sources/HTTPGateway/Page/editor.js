// Changes one clip of a finished job: its borders, its words, how it is framed and how it looks. Or adds one.

import * as api from "./api.js";
import { el, icon } from "./dom.js";
import { errorNotice } from "./errors.js";
import { clock, number, span } from "./format.js";
import { t } from "./i18n.js";
import { aspectField, captionStyles, choice, mark, textField, toggle } from "./options.js";

const secondsMin = 3;
const secondsMax = 180;
const nudgeSeconds = 0.5;
/// How long a clip is when it is added, and where: the client moves it.
const newSeconds = 20;
const captionCharactersMax = 200;
const captionSeconds = 2;

/// `clip`: null to add one. `onRevised()`: the server has taken it, or shows another revision.
export async function openEditor(job, clip, onRevised) {
  const length = job.durationSeconds ?? clip?.end ?? newSeconds;
  const borders = clip ? { start: clip.start, end: clip.end } : { start: 0, end: Math.min(newSeconds, length) };
  const before = clip?.options ?? job.options;
  const options = { ...before };
  const key = crypto.randomUUID?.() ?? `${job.id}-${Date.now()}`;
  let title = clip?.title ?? "";

  const trouble = el("div", { class: "editor-trouble" });
  const words = el("div", {});
  const scenes = el("div", {});
  const readers = [];
  const times = bordersPart(borders, length, () => readers.forEach((reader) => reader.moved?.()));
  const apply = el("button", { type: "submit", class: "button button-primary" }, icon("check"), t("edit.apply"));
  const form = el(
    "form", {},
    el("div", { class: "editor-head" },
      el("h2", { text: clip ? t("edit.title", { title: clip.title || number(clip.ordinal + 1) }) : t("edit.titleNew") }),
      el("button", { type: "button", class: "icon-button", "aria-label": t("edit.close"), on: { click: () => dialog.close() } }, icon("close"))),
    times.node,
    el("div", { class: "field" },
      el("label", { class: "field-name", for: "edit-title", text: t("edit.name") }),
      el("input", { id: "edit-title", class: "input", maxlength: 120, value: title, autocomplete: "off",
        on: { input: (event) => { title = event.target.value.trim(); } } })),
    words, scenes, lookPart(options),
    trouble,
    el("div", { class: "editor-foot" },
      el("button", { type: "button", class: "button", on: { click: () => dialog.close() } }, t("edit.close")), apply),
  );
  const dialog = el("dialog", { class: "editor" }, form);
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    apply.disabled = true;
    trouble.replaceChildren();
    const wish = { start: borders.start, end: borders.end };
    // Who changed it meanwhile is not undone: what is shown here is what the change is meant for.
    if (clip) Object.assign(wish, { clipId: clip.id, ifRevision: clip.revision });
    if (title !== (clip?.title ?? "")) wish.title = title;
    const looks = changed(options, before);
    if (Object.keys(looks).length) wish.options = looks;
    const edits = Object.assign({}, ...readers.map((reader) => reader.read()));
    if (Object.keys(edits).length) wish.edits = edits;
    try {
      await api.reviseClip(job.id, wish, `${key}-${JSON.stringify(wish).length}-${hash(JSON.stringify(wish))}`);
      dialog.close();
      onRevised();
    } catch (failure) {
      const notice = errorNotice(failure);
      trouble.replaceChildren(notice);
      notice.scrollIntoView({ block: "nearest" });
      // What is behind this is old.
      if (failure.code === "revision_changed") onRevised();
    }
    apply.disabled = false;
  });
  document.body.append(dialog);
  dialog.showModal();
  if (!clip) return;

  // Each may be missing without taking the other along: borders and look can be changed anyway.
  const show = async (ask, part, place) => {
    try {
      const reader = part(await ask(clip.id), borders);
      readers.push(reader);
      place.replaceChildren(reader.node);
    } catch (failure) {
      place.replaceChildren(errorNotice(failure));
    }
  };
  await Promise.all([show(api.getCaptions, captionsPart, words), show(api.getScenes, scenesPart, scenes)]);
}

/// Other wishes have other keys: what was refused may be corrected and sent again.
function hash(text) {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return sum.toString(36);
}

/// What was not touched is not sent: it stays as it is, and a node that knows fewer options is not asked for them.
function changed(options, before) {
  const isNew = ([name, value]) => (value || null) !== (before[name] || null);
  return Object.fromEntries(Object.entries(options).filter(isNew).map(([name, value]) => [name, value ?? null]));
}

function round(seconds) {
  return Math.round(seconds * 1000) / 1000;
}

function bordersPart(borders, length, onMove) {
  const total = el("p", { class: "editor-length" });
  const paint = () => {
    const seconds = borders.end - borders.start;
    total.textContent = `${clock(borders.start)} – ${clock(borders.end)} · ${span(Math.max(0, seconds))}`;
    total.classList.toggle("is-wrong", !(seconds >= secondsMin && seconds <= secondsMax));
    onMove();
  };
  const field = (name) => {
    const input = el("input", {
      id: `edit-${name}`, class: "input", type: "number", inputmode: "decimal", min: 0, max: Math.ceil(length), step: "any",
      value: round(borders[name]), required: true,
    });
    input.addEventListener("input", () => {
      if (input.value !== "") borders[name] = Number(input.value);
      paint();
    });
    const nudge = (by) => el("button", {
      type: "button", class: "button button-small", "aria-controls": `edit-${name}`,
      on: {
        click: () => {
          borders[name] = round(Math.min(length, Math.max(0, borders[name] + by)));
          input.value = borders[name];
          paint();
        },
      },
      text: t("edit.nudge", { by: `${by < 0 ? "−" : "+"}${number(Math.abs(by), 1)}` }),
    });
    return el("div", { class: "field" },
      el("label", { class: "field-name", for: `edit-${name}`, text: t(`edit.${name}`) }),
      el("div", { class: "editor-nudge" }, nudge(-nudgeSeconds), input, nudge(nudgeSeconds)));
  };
  const node = el("fieldset", { class: "editor-part" },
    el("legend", { class: "field-name", text: t("edit.borders") }),
    el("div", { class: "editor-borders" }, field("start"), field("end")), total);
  paint();
  return { node };
}

/// The lines that are shown, each with its time. Sent only when one was touched.
function captionsPart({ captions, isEdited }, borders) {
  const list = el("div", { class: "editor-lines" });
  let touched = false;
  let reset = false;
  const lines = captions.map((caption) => ({ ...caption }));
  const touch = () => { [touched, reset] = [true, false]; };
  const timeInput = (line, name, n) => el("input", {
    class: "input", type: "number", inputmode: "decimal", min: 0, step: "any", value: round(line[name]), required: true,
    "aria-label": `${t("edit.line", { n })}: ${t(`edit.${name}`)}`,
    on: { input: (event) => { line[name] = Number(event.target.value); touch(); moved(); } },
  });
  const row = (line, index) => el("div", { class: "editor-line" },
    timeInput(line, "start", index + 1), timeInput(line, "end", index + 1),
    el("input", {
      class: "input editor-text", value: line.text, maxlength: captionCharactersMax, required: true, autocomplete: "off",
      "aria-label": t("edit.line", { n: index + 1 }), on: { input: (event) => { line.text = event.target.value; touch(); } },
    }),
    el("button", {
      type: "button", class: "icon-button", "aria-label": t("edit.lineRemove", { n: index + 1 }),
      on: { click: () => { lines.splice(index, 1); touch(); paint(); } },
    }, icon("close")));
  const moved = () => lines.forEach((line, index) =>
    list.children[index]?.classList.toggle("is-outside", line.end <= borders.start || line.start >= borders.end));
  const paint = () => {
    list.replaceChildren(...(lines.length ? lines.map(row) : [el("p", { class: "field-hint", text: t("edit.captions.none") })]));
    moved();
  };
  const add = () => {
    const start = round(Math.max(borders.start, lines.at(-1)?.end ?? 0));
    lines.push({ start, end: round(start + captionSeconds), text: "" });
    touch();
    paint();
    list.lastElementChild.querySelector(".editor-text").focus();
  };
  const back = el("button", { type: "button", class: "button button-small", "aria-pressed": "false" }, icon("retry"), t("edit.heard"));
  back.addEventListener("click", () => {
    [touched, reset] = [false, !reset];
    back.setAttribute("aria-pressed", String(reset));
    list.inert = reset;
  });
  const node = el("fieldset", { class: "editor-part" },
    el("legend", { class: "field-name", text: t("edit.captions") }),
    list,
    el("p", { class: "field-hint", text: t("edit.captions.hint") }),
    el("div", { class: "editor-row" },
      el("button", { type: "button", class: "button button-small", on: { click: add } }, icon("plus"), t("edit.lineAdd")),
      isEdited ? back : null));
  paint();
  return {
    node, moved,
    read: () => {
      if (reset) return { captions: null };
      return touched ? { captions: lines.map(({ start, end, text }) => ({ start, end, text })).sort((one, two) => one.start - two.start) } : {};
    },
  };
}

/// One row for each scene; what a client said of others before stays.
function scenesPart({ scenes, edits }) {
  const chosen = new Map();
  let reset = false;
  const rows = scenes.map((scene, index) => {
    const slider = el("input", { type: "range", min: 0, max: 1, step: 0.01, value: scene.x ?? 0.5, "aria-label": t("edit.scene.x"), hidden: true });
    const paint = () => slider.style.setProperty("--filled", `${slider.value * 100}%`);
    const select = el("select", { class: "input", "aria-label": `${t("edit.scenes")} ${clock(scene.start)}` },
      ["keep", "fit", "crop"].map((layout) => el("option", { value: layout, text: t(`edit.scene.${layout}`) })));
    const change = () => {
      slider.hidden = select.value !== "crop";
      paint();
      if (select.value === "keep") chosen.delete(index);
      else chosen.set(index, { start: scene.start, end: scene.end, layout: select.value, ...(select.value === "crop" ? { x: Number(slider.value) } : {}) });
    };
    select.addEventListener("change", change);
    slider.addEventListener("input", change);
    return el("div", { class: "editor-scene" },
      el("span", { class: "editor-scene-time", text: `${clock(scene.start)} – ${clock(scene.end)}` }), select, slider);
  });
  const list = el("div", { class: "editor-lines" }, rows);
  const back = el("button", { type: "button", class: "button button-small", "aria-pressed": "false" }, icon("retry"), t("edit.found"));
  back.addEventListener("click", () => {
    reset = !reset;
    back.setAttribute("aria-pressed", String(reset));
    list.inert = reset;
  });
  const node = el("fieldset", { class: "editor-part" },
    el("legend", { class: "field-name", text: t("edit.scenes") }), list, edits ? el("div", { class: "editor-row" }, back) : null);
  return {
    node,
    read: () => {
      if (reset) return { scenes: null };
      if (!chosen.size) return {};
      const mine = [...chosen.values()];
      const others = (edits ?? []).filter((edit) => !mine.some((scene) => edit.start < scene.end && scene.start < edit.end));
      return { scenes: [...others, ...mine].sort((one, two) => one.start - two.start) };
    },
  };
}

function lookPart(options) {
  const set = (name) => (value) => {
    options[name] = value;
    mark(node, options);
  };
  const node = el("fieldset", { class: "editor-part options" },
    el("legend", { class: "field-name", text: t("edit.look") }),
    aspectField(options.aspect, set("aspect")),
    choice("subtitles", ["off", "srt", "burned"], options.subtitles, set("subtitles")),
    el("div", { class: "field-captions" },
      choice("captionStyle", captionStyles, options.captionStyle, set("captionStyle"))),
    el("div", { class: "field-speakers" }, toggle("speakerColors", options.speakerColors, set("speakerColors"))),
    toggle("smartCrop", options.smartCrop, set("smartCrop")),
    el("div", { class: "field-closer" }, toggle("punchIns", options.punchIns, set("punchIns"))),
    toggle("denoise", options.denoise, set("denoise")),
    toggle("tighten", options.tighten, set("tighten")),
    textField("watermark", options.watermark, set("watermark"), 60));
  mark(node, options);
  return node;
}
