// The first view: drop a video, choose, send; and the jobs there are.

import { otherNodes, uploadBytesMax } from "./cluster.js";
import { announce, el, icon } from "./dom.js";
import { errorNotice } from "./errors.js";
import { bytes, clock, number, span } from "./format.js";
import { t } from "./i18n.js";
import { optionsForm } from "./options.js";
import { recentJobs } from "./recent.js";
import * as sending from "./session.js";
import { isRemembered } from "./upload.js";

const { session } = sending;

export function homeView() {
  const stage = el("div", { class: "stage" });
  const recent = recentJobs();
  const node = el(
    "div",
    { class: "home" },
    el(
      "section",
      { class: "hero" },
      el(
        "div",
        { class: "hero-words" },
        el("h1", {}, `${t("home.title")} `, el("em", { text: t("home.titleAccent") })),
        el("p", { class: "lead", text: t("home.lead") }),
        el(
          "ol",
          { class: "promises" },
          ["upload", "choose", "publish"].map((step) =>
            el("li", {}, el("strong", { text: t(`home.${step}`) }), " ", t(`home.${step}.detail`)),
          ),
        ),
      ),
      stage,
    ),
    recent.node,
  );

  let shown = null;
  const paint = () => {
    const kind = session.phase === "sending" || session.phase === "starting" ? "sending" : session.phase;
    if (shown?.kind !== kind || shown?.file !== session.file) {
      shown?.leave?.();
      shown = { kind, file: session.file, ...panels[kind]() };
      stage.replaceChildren(shown.node);
    }
    shown.update?.();
  };
  const unsubscribe = sending.subscribe(paint);
  const undrop = acceptDrops(node, stage);
  paint();
  return {
    node,
    leave() {
      unsubscribe();
      undrop();
      recent.leave();
      shown?.leave?.();
    },
  };
}

const panels = { empty: dropPanel, chosen: composePanel, sending: sendingPanel };

function picker(id, accept, onPick) {
  return el("input", {
    id, type: "file", accept, class: "hidden",
    on: {
      change: (event) => {
        const [file] = event.target.files;
        event.target.value = ""; // The same file may be picked again.
        if (file) onPick(file);
      },
    },
  });
}

function dropPanel() {
  const limit = uploadBytesMax();
  return {
    node: el(
      "div",
      { class: "drop" },
      picker("video", "video/*,.mkv,.mts,.ts,.flv,.avi,.mxf", sending.choose),
      el(
        "label",
        { class: "drop-area", for: "video" },
        el("span", { class: "drop-art", "aria-hidden": "true" }, el("i"), el("i"), el("i"), icon("upload")),
        el("span", { class: "drop-title", text: t("drop.title") }),
        el("span", { class: "drop-or", text: t("drop.or") }),
        el("span", { class: "button button-primary", text: t("drop.choose") }),
        el("span", { class: "drop-hint", text: t("drop.hint") }),
        limit ? el("span", { class: "drop-hint", text: t("drop.limit", { size: bytes(limit) }) }) : null,
      ),
    ),
  };
}

/// The local file, shown before it is sent. A format the browser cannot play just shows its name.
function preview(file) {
  const url = URL.createObjectURL(file);
  const facts = el("p", { class: "file-facts", text: bytes(file.size) });
  const video = el("video", { class: "file-preview", src: url, muted: true, playsinline: true, preload: "metadata" });
  video.addEventListener("loadedmetadata", () => {
    if (Number.isFinite(video.duration)) facts.textContent = `${clock(video.duration)} · ${bytes(file.size)}`;
    if (video.videoWidth > 0) video.currentTime = Math.min(video.duration / 4 || 0, 30);
  });
  video.addEventListener("error", () => video.replaceWith(el("div", { class: "file-preview" }, icon("film"))));
  return { node: [video, facts], leave: () => URL.revokeObjectURL(url) };
}

function composePanel() {
  const { file } = session;
  const form = optionsForm();
  const shown = preview(file);
  const failure = el("div", { class: "compose-failure" });
  const transcript = el("div", { class: "transcript" });
  const node = el(
    "form",
    {
      class: "compose",
      on: {
        submit: async (event) => {
          event.preventDefault();
          const job = await sending.start(form.read());
          if (job) location.hash = `#/jobs/${job}`;
        },
      },
    },
    el(
      "div",
      { class: "file" },
      shown.node[0],
      el(
        "div",
        { class: "file-words" },
        el("p", { class: "file-name", text: file.name }),
        shown.node[1],
        isRemembered(file) ? el("p", { class: "file-facts file-resumes", text: t("compose.resumes") }) : null,
      ),
      el(
        "button",
        { type: "button", class: "icon-button", "aria-label": t("compose.another"), on: { click: sending.clear } },
        icon("close"),
      ),
    ),
    form.node,
    transcript,
    failure,
    el("button", { type: "submit", class: "button button-primary button-wide", text: t("compose.start") }),
  );
  return {
    node,
    leave: shown.leave,
    update() {
      failure.replaceChildren(...(session.failure ? [errorNotice(session.failure, ...elsewhere(session.failure))] : []));
      transcript.replaceChildren(...transcriptField());
    },
  };
}

/// An upload goes on at any node: where this one cannot be reached, the others' pages are a click away.
function elsewhere({ upload, status }) {
  if (!upload || status !== 0) return [];
  return otherNodes().map((node) =>
    el("a", { class: "link", href: `${node.http}/#/uploads/${upload}`, text: t("compose.elsewhere", { node: node.id }) }),
  );
}

function transcriptField() {
  const name = session.transcript?.name;
  return [
    picker("transcript", ".srt,.vtt,.json", sending.chooseTranscript),
    el("label", { for: "transcript", class: "link", text: name ?? t("compose.transcript") }),
    name
      ? el(
          "button",
          {
            type: "button", class: "chip-remove", "aria-label": t("compose.transcriptRemove"),
            on: { click: () => sending.chooseTranscript(null) },
          },
          icon("close"),
        )
      : null,
  ].filter(Boolean);
}

function sendingPanel() {
  const { file } = session;
  const percent = el("span", { class: "percent" });
  const bar = el("div", { class: "bar", role: "progressbar", "aria-label": t("sending.title"), "aria-valuemin": 0, "aria-valuemax": 100 }, el("span"));
  const facts = el("p", { class: "sending-facts" });
  const title = el("p", { class: "sending-title" });
  const hold = el("button", { type: "button", class: "button", hidden: true });
  let said = -1;
  return {
    node: el(
      "div",
      { class: "sending" },
      title,
      el("p", { class: "file-name", text: file.name }),
      percent,
      bar,
      facts,
      el(
        "div",
        { class: "sending-actions" },
        hold,
        el("button", { type: "button", class: "button", text: t("sending.cancel"), on: { click: sending.cancel } }),
      ),
    ),
    update() {
      const progress = session.progress ?? { sent: 0, total: 1, bytesPerSecond: 0 };
      const { sent, total, bytesPerSecond, isPaused, isRetrying } = progress;
      hold.hidden = !sending.canPause() || session.phase === "starting";
      hold.textContent = t(isPaused ? "sending.resume" : "sending.pause");
      hold.onclick = isPaused ? sending.resume : sending.pause;
      const share = session.phase === "starting" ? 100 : Math.floor((100 * sent) / Math.max(total, 1));
      const state = isPaused ? "sending.paused" : isRetrying ? "sending.retrying" : "sending.title";
      title.textContent = t(share >= 100 ? "sending.starting" : state);
      percent.textContent = `${number(share)} %`;
      bar.setAttribute("aria-valuenow", share);
      bar.firstChild.style.width = `${share}%`;
      const left = bytesPerSecond > 0 ? (total - sent) / bytesPerSecond : null;
      facts.textContent = [
        t("sending.of", { sent: bytes(sent), total: bytes(total) }),
        bytesPerSecond > 0 ? `${bytes(bytesPerSecond)}/s` : null,
        left !== null && share < 100 ? t("sending.left", { time: span(left) }) : null,
      ].filter(Boolean).join(" · ");
      if (Math.floor(share / 25) !== said) {
        said = Math.floor(share / 25);
        announce(`${title.textContent} ${share} %`);
      }
    },
  };
}

/// The whole window takes a dropped file; without this a miss would make the browser leave the page.
function acceptDrops(node, stage) {
  let depth = 0;
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const mark = (on) => stage.classList.toggle("is-over", on);
  const handlers = {
    dragenter(event) {
      if (carriesFiles(event)) mark((depth += 1) > 0);
    },
    dragleave(event) {
      if (carriesFiles(event)) mark((depth = Math.max(0, depth - 1)) > 0);
    },
    dragover(event) {
      if (carriesFiles(event)) event.preventDefault();
    },
    drop(event) {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      mark(false);
      depth = 0;
      const [file] = event.dataTransfer.files;
      if (file && (session.phase === "empty" || session.phase === "chosen")) sending.choose(file);
    },
  };
  for (const [name, handler] of Object.entries(handlers)) window.addEventListener(name, handler);
  return () => {
    for (const [name, handler] of Object.entries(handlers)) window.removeEventListener(name, handler);
  };
}
