// The form of everything a client may ask for. What was chosen last is remembered.

import { el } from "./dom.js";
import { number } from "./format.js";
import { language, t } from "./i18n.js";
import { chipsField } from "./chips.js";

const storageKey = "tijera.options";

const defaults = {
  language: "auto",
  clipCount: 5,
  durationPreset: "normal",
  minSeconds: null,
  maxSeconds: null,
  aspect: "9:16",
  subtitles: "srt",
  captionStyle: "classic",
  speakerColors: false,
  smartCrop: true,
  punchIns: false,
  denoise: false,
  tighten: false,
  keywords: [],
  watermark: null,
};

export const captionStyles = ["classic", "plain", "boxed", "pop", "headline", "neon"];
const presetSeconds = { short: [12, 22], normal: [18, 32], long: [30, 45] };
const spoken = ["es", "en", "pt", "fr", "de", "it", "ca", "gl", "eu", "nl", "pl", "ru", "uk", "tr", "ar", "hi", "zh", "ja", "ko"];

function remembered() {
  try {
    return { ...defaults, ...JSON.parse(localStorage.getItem(storageKey) ?? "{}") };
  } catch {
    return { ...defaults };
  }
}

/// `{node, read}`: the form, and what it holds right now in the form of the API.
export function optionsForm() {
  const values = remembered();
  const keep = () => {
    try {
      localStorage.setItem(storageKey, JSON.stringify(values));
    } catch {
      // Without storage the form begins with its defaults next time.
    }
  };
  const set = (name) => (value) => {
    values[name] = value;
    keep();
    mark(node, values);
  };

  const node = el(
    "div",
    { class: "options" },
    countField(values.clipCount, set("clipCount")),
    choice("durationPreset", Object.keys(presetSeconds), values.durationPreset, set("durationPreset"), (preset) =>
      t("options.seconds", { from: presetSeconds[preset][0], to: presetSeconds[preset][1] }),
    ),
    aspectField(values.aspect, set("aspect")),
    choice("subtitles", ["off", "srt", "burned"], values.subtitles, set("subtitles")),
    el(
      "div",
      { class: "field-captions" },
      choice("captionStyle", captionStyles, values.captionStyle, set("captionStyle")),
    ),
    el("div", { class: "field-speakers" }, toggle("speakerColors", values.speakerColors, set("speakerColors"))),
    el(
      "details",
      { class: "more" },
      el("summary", { text: t("options.more") }),
      el(
        "div",
        { class: "more-fields" },
        languageField(values.language, set("language")),
        toggle("smartCrop", values.smartCrop, set("smartCrop")),
        el("div", { class: "field-closer" }, toggle("punchIns", values.punchIns, set("punchIns"))),
        toggle("denoise", values.denoise, set("denoise")),
        toggle("tighten", values.tighten, set("tighten")),
        chipsField(values.keywords, set("keywords")),
        textField("watermark", values.watermark, set("watermark"), 60),
        secondsFields(values, set),
      ),
    ),
  );
  mark(node, values);
  // A switch that is off is not sent either: a node of the release before may not know it.
  const isOff = (name, value) => value === false && defaults[name] === false;
  const read = () => Object.fromEntries(
    Object.entries(values).filter(([name, value]) => value !== null && value !== "" && !isOff(name, value)));
  return { node, read };
}

/// What the style sheet goes by to leave out what would have no effect: captions are drawn only when they are burned,
/// speakers are told in VTT, too, and whoever speaks, or is come closer to, is known by the face.
export function mark(node, options) {
  Object.assign(node.dataset, { subtitles: options.subtitles, faces: options.smartCrop });
}

function hintOf(name) {
  const text = t(`options.${name}.hint`);
  return text === `options.${name}.hint` ? null : el("p", { class: "field-hint", id: `hint-${name}`, text });
}

function countField(value, onChange) {
  const output = el("output", { class: "count-value", for: "clip-count", text: number(value) });
  const range = el("input", { id: "clip-count", type: "range", min: 1, max: 10, step: 1, value });
  const paint = () => range.style.setProperty("--filled", `${((range.value - 1) / 9) * 100}%`);
  range.addEventListener("input", () => {
    output.textContent = number(Number(range.value));
    paint();
    onChange(Number(range.value));
  });
  paint();
  return el(
    "div",
    { class: "field field-count" },
    el("label", { class: "field-name", for: "clip-count", text: t("options.clipCount") }),
    el("div", { class: "count" }, range, output),
  );
}

/// A row of buttons of which one is down: radio buttons underneath, so that arrow keys and screen readers work.
function choice(name, values, chosen, onChange, detail) {
  return el(
    "fieldset",
    { class: "field" },
    el("legend", { class: "field-name", text: t(`options.${name}`) }),
    el(
      "div",
      { class: "segments" },
      values.map((value) =>
        el(
          "label",
          { class: "segment" },
          el("input", {
            type: "radio", name, value, checked: value === chosen, on: { change: () => onChange(value) },
          }),
          el("span", { class: "segment-name", text: t(`options.${name}.${value}`) }),
          detail ? el("span", { class: "segment-detail", text: detail(value) }) : null,
        ),
      ),
    ),
    hintOf(name),
  );
}

function aspectField(chosen, onChange) {
  const shapes = ["9:16", "4:5", "1:1", "16:9"];
  return el(
    "fieldset",
    { class: "field" },
    el("legend", { class: "field-name", text: t("options.aspect") }),
    el(
      "div",
      { class: "segments segments-aspect" },
      shapes.map((shape) =>
        el(
          "label",
          { class: "segment" },
          el("input", {
            type: "radio", name: "aspect", value: shape, checked: shape === chosen,
            on: { change: () => onChange(shape) },
          }),
          el("span", { class: `shape shape-${shape.replace(":", "-")}`, "aria-hidden": "true" }),
          el("span", { class: "segment-name", text: shape }),
        ),
      ),
    ),
  );
}

function languageField(chosen, onChange) {
  const names = new Intl.DisplayNames(language(), { type: "language" });
  const options = spoken
    .map((code) => [code, names.of(code)])
    .sort((one, two) => one[1].localeCompare(two[1], language()));
  return el(
    "div",
    { class: "field" },
    el("label", { class: "field-name", for: "spoken", text: t("options.language") }),
    el(
      "select",
      { id: "spoken", class: "input", on: { change: (event) => onChange(event.target.value) } },
      el("option", { value: "auto", selected: chosen === "auto", text: t("options.language.auto") }),
      options.map(([code, name]) => el("option", { value: code, selected: code === chosen, text: name })),
    ),
  );
}

function toggle(name, value, onChange) {
  return el(
    "div",
    { class: "field" },
    el(
      "label",
      { class: "toggle" },
      el("input", {
        type: "checkbox", role: "switch", checked: value, on: { change: (event) => onChange(event.target.checked) },
      }),
      el("span", { class: "toggle-track", "aria-hidden": "true" }),
      el("span", { class: "field-name", text: t(`options.${name}`) }),
    ),
    hintOf(name),
  );
}

function textField(name, value, onChange, charactersMax) {
  return el(
    "div",
    { class: "field" },
    el("label", { class: "field-name", for: `text-${name}`, text: t(`options.${name}`) }),
    el("input", {
      id: `text-${name}`, class: "input", type: "text", maxlength: charactersMax, value: value ?? "",
      placeholder: t(`options.${name}.placeholder`), autocomplete: "off",
      on: { input: (event) => onChange(event.target.value.trim() || null) },
    }),
    hintOf(name),
  );
}

function secondsFields(values, set) {
  const input = (name) =>
    el("input", {
      id: `seconds-${name}`, class: "input", type: "number", inputmode: "numeric", min: 3, max: 180, step: 1,
      value: values[name] ?? "", placeholder: "–", "aria-label": t(`options.${name}`),
      on: { input: (event) => set(name)(event.target.value === "" ? null : Number(event.target.value)) },
    });
  return el(
    "div",
    { class: "field", role: "group", "aria-label": t("options.exact") },
    el("span", { class: "field-name", text: t("options.exact") }),
    el("div", { class: "pair" }, input("minSeconds"), el("span", { text: t("options.to") }), input("maxSeconds")),
    hintOf("exact"),
  );
}

export { aspectField, choice, textField, toggle };
