// The clips of a job: watch, understand why they were chosen, take them home.

import { el, icon, keyed } from "./dom.js";
import { openEditor } from "./editor.js";
import { describe } from "./errors.js";
import { bytes, clock, number, span } from "./format.js";
import { language, t, tOr } from "./i18n.js";

/// A signal below this is not worth a word.
const signalShareMin = 0.6;
const phrasesMax = 3;

/// `onRevised()`: a clip is being rendered anew, or added.
export function clipsGrid(onRevised) {
  const grid = el("ol", { class: "clips" });
  const title = el("h2", { id: "clips-title" });
  let shown = null;
  const add = el(
    "button", { type: "button", class: "button button-small", on: { click: () => openEditor(shown, null, onRevised) } },
    icon("plus"), t("edit.add"));
  const node = el("section", { class: "clips-section", "aria-labelledby": "clips-title", hidden: true },
    el("div", { class: "clips-head" }, title, add), grid);
  return {
    node,
    update({ job, clips }) {
      node.hidden = clips.length === 0;
      shown = job;
      // A job that goes on for a revision takes others.
      const editable = job.status === "ready" || isRevised(clips);
      add.hidden = !editable;
      const ready = clips.filter((clip) => clip.state === "ready").length;
      title.textContent = ready === clips.length
        ? t("clips.title", { count: clips.length })
        : t("clips.some", { ready: number(ready), all: number(clips.length) });
      keyed(grid, clips, (clip) => clip.id, () => el("li", { class: "clip" }), (element, clip) => {
        // A card is built anew only when its clip has changed, so that a playing video plays on.
        const version = JSON.stringify([clip, editable]);
        if (element.dataset.version === version) return;
        const facts = JSON.stringify({ ...clip, links: Object.keys(clip.links) });
        const sameFacts = element.dataset.facts === facts;
        element.dataset.facts = facts;
        element.dataset.version = version;
        // Signed links are new from time to time, which is no reason to take the video away.
        const edit = editable && clip.pendingRevision === undefined && (() => openEditor(job, clip, onRevised));
        if (sameFacts && element.querySelector("video")) return element.lastElementChild.replaceWith(words(clip, edit));
        element.className = `clip is-${clip.state}`;
        element.replaceChildren(picture(job, clip), words(clip, edit));
      });
    },
  };
}

/// Whether the job goes on only because clips of it are rendered anew.
export const isRevised = (clips) => clips.some((clip) => clip.pendingRevision !== undefined);

function picture(job, clip) {
  const options = clip.options ?? job.options;
  const frame = el("div", { class: `clip-frame aspect-${options.aspect.replace(":", "-")}` });
  if (clip.state !== "ready" || !clip.links.download) {
    frame.append(el("div", { class: "clip-wait" },
      clip.state === "error" ? icon("alert") : el("span", { class: "spinner", "aria-hidden": "true" }),
      el("span", { text: t(`clip.${clip.state}`) })));
    return frame;
  }
  const poster = clip.links.thumbnail;
  const play = el(
    "button",
    { type: "button", class: "clip-play", "aria-label": t("clip.play", { title: clip.title }) },
    poster ? el("img", { src: poster, alt: "", loading: "lazy", decoding: "async" }) : null,
    el("span", { class: "clip-play-mark", "aria-hidden": "true" }, icon("play")),
    el("span", { class: "clip-length", text: clock(clip.figures?.durationSeconds ?? clip.durationSeconds) }),
  );
  play.addEventListener("click", () => {
    for (const other of document.querySelectorAll(".clip-frame video")) other.pause();
    const video = el("video", { src: inline(clip.links.download), controls: true, playsinline: true, autoplay: true, poster },
      clip.links.vtt && options.subtitles === "srt"
        ? el("track", { kind: "captions", src: clip.links.vtt, default: true, label: t("clip.captions") }) : null);
    play.replaceWith(video);
    video.focus();
  });
  frame.append(play);
  return frame;
}

/// A link may have a query of its own, which signs it; that it is shown in place is no part of that.
function inline(link) {
  return `${link}${link.includes("?") ? "&" : "?"}inline=1`;
}

/// `edit`: opens the editor; false where there is nothing to edit now.
function words(clip, edit) {
  const link = (href, key, glyph, primary) => href
    ? el("a", { class: primary ? "button button-small button-primary" : "button button-small", href, download: true },
        glyph ? icon(glyph) : null, t(key))
    : null;
  return el(
    "div",
    { class: "clip-words" },
    el("div", { class: "clip-head" },
      isByHand(clip) ? null : scoreRing(clip.score),
      el("div", {},
        el("h3", { text: clip.title || t("clip.untitled", { n: number(clip.ordinal + 1) }) }),
        el("p", { class: "clip-span", text: `${clock(clip.start)} – ${clock(clip.end)} · ${span(clip.durationSeconds)}` }))),
    el("p", { class: "clip-reason", text: reasonOf(clip) }),
    clip.pendingRevision !== undefined
      ? el("p", { class: "clip-pending" }, el("span", { class: "spinner", "aria-hidden": "true" }), t("edit.pending")) : null,
    [clip.error, clip.error ? null : clip.revisionError].filter(Boolean).map((failure) =>
      el("p", { class: "clip-error" }, el("strong", { text: describe(failure).title }), " ", describe(failure).hint)),
    hashtags(clip),
    signals(clip),
    figures(clip),
    covers(clip),
    el("div", { class: "clip-links" },
      link(clip.links.download, "clip.download", "download", true),
      link(clip.links.srt, "clip.srt"),
      link(clip.links.vtt, "clip.vtt"),
      edit ? el("button", { type: "button", class: "button button-small", on: { click: edit } }, icon("edit"), t("edit.open")) : null,
      clip.videoBytes ? el("span", { class: "clip-size", text: bytes(clip.videoBytes) }) : null),
  );
}

/// Nothing was weighed.
const isByHand = (clip) => !Object.keys(clip.signals).length && clip.reason === "Chosen by hand.";

/// In one piece, to be copied.
function hashtags(clip) {
  if (!clip.hashtags?.length) return null;
  return el("p", { class: "clip-tags", title: t("clip.hashtags"), text: clip.hashtags.map((tag) => `#${tag}`).join(" ") });
}

/// Pictures to choose from: the chosen one is shown on the card and is what the link downloads.
function covers(clip) {
  const choices = clip.links.thumbnails ?? [];
  if (clip.state !== "ready" || choices.length < 2) return null;
  const take = el("a", { class: "button button-small", href: choices[0], download: true }, t("clip.cover"));
  const buttons = choices.map((address, index) => {
    const button = el("button",
      { type: "button", class: "clip-cover", "aria-pressed": String(index === 0), "aria-label": t("clip.cover.show", { n: number(index + 1) }) },
      el("img", { src: address, alt: "", loading: "lazy", decoding: "async" }));
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      take.href = address;
      const shown = button.closest(".clip")?.querySelector(".clip-play img");
      if (shown) shown.src = address;
    });
    return button;
  });
  return el("div", { class: "clip-covers" }, buttons, take);
}

/// Why the clip was chosen, in the reader's language. Where an earlier release chose there is English only, and for other
/// languages the reason is put together from the strongest signals given along.
function reasonOf(clip) {
  if (isByHand(clip)) return t("edit.byHand");
  const reason = clip.reasons?.[language()];
  if (reason) return reason;
  if (language() === "en") return clip.reason;
  const mentioned = clip.reason.match(/“[^”]+”/g);
  const phrases = Object.entries(clip.signals)
    .filter(([name, value]) => value >= signalShareMin && tOr(`why.${name}`, null))
    .sort((one, two) => two[1] - one[1])
    .slice(0, phrasesMax)
    .map(([name]) => t(`why.${name}`));
  if (mentioned) phrases.unshift(t("why.mentions", { words: mentioned.join(", ") }));
  if (!phrases.length) return t("why.plain");
  const text = phrases.join("; ");
  return `${text[0].toLocaleUpperCase(language())}${text.slice(1)}.`;
}

function scoreRing(score) {
  const ring = el("span", { class: "score", role: "img", "aria-label": t("clip.score", { n: number(score) }) },
    el("span", { text: number(score) }));
  ring.style.setProperty("--score", `${Math.max(0, Math.min(100, score))}%`);
  return ring;
}

function signals(clip) {
  const rows = Object.entries(clip.signals).filter(([, value]) => value > 0).sort((one, two) => two[1] - one[1]);
  if (!rows.length) return null;
  return el("details", { class: "signals" },
    el("summary", { text: t("clip.why") }),
    el("dl", {}, rows.map(([name, value]) => {
      const bar = el("span", { class: "signal-bar" }, el("i"));
      bar.firstChild.style.width = `${Math.min(100, 100 * value)}%`;
      return el("div", { class: "signal" },
        el("dt", { text: tOr(`signal.${name}`, name.replace(/([A-Z])/g, " $1").toLowerCase()) }),
        el("dd", {}, bar, el("span", { class: "signal-value", text: number(100 * value) })));
    })));
}

function figures(clip) {
  const f = clip.figures;
  if (!f) return null;
  const chips = [
    `${f.width}×${f.height}`,
    `${number(f.framesPerSecond, 2)} fps`,
    f.loudnessLUFS !== undefined ? `${number(f.loudnessLUFS, 1)} LUFS` : null,
    f.truePeakDBTP !== undefined ? `${number(f.truePeakDBTP, 1)} dBTP` : null,
    f.faceInFrame !== undefined ? t("clip.face", { n: number(100 * f.faceInFrame) }) : null,
    f.speakerInFrame !== undefined ? t("clip.speaker", { n: number(100 * f.speakerInFrame) }) : null,
    f.kept ? t("clip.tightened", { n: number(clip.end - clip.start - clip.durationSeconds, 1) }) : null,
  ].filter(Boolean).map((text) => el("li", { class: "figure", text }));
  const flags = f.flags.map((flag) => el("li", { class: "figure is-flag", title: flag.text, text: tOr(`flag.${flag.code}`, flag.text) }));
  const repairs = (f.repairs || []).map((repair) => el("li", { class: "figure", title: repair.text, text: tOr(`repair.${repair.code}`, repair.text) }));
  return el("ul", { class: "figures", "aria-label": t("clip.figures") }, chips, repairs, flags);
}
