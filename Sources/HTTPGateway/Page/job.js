// One job, live: how far it is, who does what, its clips.

import { activityLog } from "./activity.js";
import * as api from "./api.js";
import { clipsGrid, isRevised } from "./clips.js";
import { announce, el, icon } from "./dom.js";
import { errorNotice } from "./errors.js";
import { follow } from "./follow.js";
import { ago, clock, number, span } from "./format.js";
import { language, t, tOr } from "./i18n.js";
import { interestPanel } from "./interest.js";
import { waterfallPanel } from "./waterfall.js";
import { workPanel } from "./work.js";

/// What a link must be good for at least, so that whoever clicks still gets the file.
const linkSecondsMin = 600;
const askAgainMilliseconds = 60_000;

export function jobView(id) {
  const heading = el("h1", { class: "job-name", text: "…" });
  const pill = el("span", { class: "pill" });
  const facts = el("p", { class: "job-facts" });
  const progress = progressPanel();
  const actions = el("div", { class: "job-actions" });
  const notices = el("div", { class: "job-notices" });
  const work = workPanel();
  const interest = interestPanel();
  // Asks again until it is answered: what was asked for is under way, whatever becomes of one look at it.
  const clips = clipsGrid(() => stream.reopen());
  const waterfall = waterfallPanel(id);
  const activity = activityLog();
  const body = el("div", { class: "job-body" }, el("div", { class: "skeleton skeleton-tall" }));
  const node = el(
    "div",
    { class: "job" },
    el("a", { class: "link back", href: "#/" }, icon("back"), t("job.back")),
    el("div", { class: "job-head" }, el("div", { class: "job-title" }, heading, pill), actions),
    facts,
    notices,
    body,
  );

  let current = null;
  let arranged = null;

  const paint = (next) => {
    if (current && current.job.status !== next.job.status) announce(t(`status.${next.job.status}`));
    current = next;
    const { job } = next;
    document.title = `${job.status === "processing" ? `${Math.round(job.progress)} % · ` : ""}${job.upload.fileName} · Tijera`;
    heading.textContent = job.upload.fileName;
    pill.className = `pill is-${job.status}`;
    pill.textContent = t(`status.${job.status}`);
    facts.textContent = factsOf(job);
    arrange(job.status === "ready" || isRevised(next.clips));
    progress.update(job);
    work.update(job);
    interest.update(next);
    clips.update(next);
    waterfall.update(job);
    paintActions();
    notices.replaceChildren(
      ...(job.error ? [errorNotice(job.error)] : []),
      ...job.notes.map((note) => el("p", { class: "notice", text: tOr(`note.${note.code}`, note.text) })),
    );
  };

  /// What matters now comes first: the work while it runs, the clips once they stand.
  const arrange = (stands) => {
    const order = stands ? "clips" : "work";
    if (arranged === order) return;
    arranged = order;
    const parts = order === "clips" ? [interest.node, clips.node, work.node] : [progress.node, work.node, interest.node, clips.node];
    body.replaceChildren(...parts, waterfall.node, activity.node);
  };

  const paintActions = () => {
    const { status } = current.job;
    const running = status === "pending" || status === "processing";
    const archive = current.links?.archive;
    const revised = isRevised(current.clips);
    const key = `${status}/${archive}/${revised}`;
    if (actions.dataset.key === key) return; // Keeps the focus where it is.
    actions.dataset.key = key;
    actions.replaceChildren(
      ...[
        archive
          ? el("a", { class: "button button-primary", href: archive, download: true },
              icon("archive"), t("job.archive"))
          : null,
        running
          ? action("close", "job.cancel", () => api.cancelJob(id), revised ? "edit.stopSure" : "job.cancelSure") : null,
        status === "error" ? action("retry", "job.retry", () => api.retryJob(id)) : null,
        running ? null : action("trash", "job.delete", () => api.deleteJob(id), "job.deleteSure"),
      ].filter(Boolean),
    );
  };

  /// The stream ends with the job: one that goes on is followed again, whoever made it go on.
  const take = (next) => {
    const hadEnded = current && !isUnderWay(current.job);
    paint(next);
    if (hadEnded && isUnderWay(next.job)) stream.reopen();
  };

  const action = (glyph, key, run, question) =>
    el(
      "button",
      {
        type: "button", class: "button",
        on: {
          click: async (event) => {
            if (question && !confirm(t(question))) return;
            const button = event.currentTarget;
            button.disabled = true;
            try {
              const answer = await run();
              if (answer === null) location.hash = "#/";
              else take(answer);
            } catch (failure) {
              notices.replaceChildren(errorNotice(failure));
            }
            button.disabled = false;
          },
        },
      },
      icon(glyph),
      t(key),
    );

  const stream = follow(id, {
    onState: paint,
    onEvent: activity.add,
    onLink: (alive) => node.classList.toggle("is-cut-off", !alive),
    onGone(failure) {
      heading.textContent = t("job.gone");
      pill.textContent = "";
      actions.replaceChildren();
      body.replaceChildren(errorNotice(failure, el("a", { class: "button", href: "#/", text: t("job.back") })));
    },
  });

  /// A page that is left open asks for new links before those that it has end; the browser's clock may be wrong, so it
  /// does not ask more often than once in a while.
  let asked = 0;
  const freshen = async () => {
    const ends = api.linksEnd(current);
    if (ends === null || Date.now() / 1000 < ends - linkSecondsMin || Date.now() - asked < askAgainMilliseconds) return;
    asked = Date.now();
    try {
      const next = await api.getJob(id);
      if (!left) take(next);
    } catch {
      // The links that are there may still be good, and the next look is not far.
    }
  };
  let left = false;

  /// What somebody else asks for after the end is seen when this page is looked at again.
  const lookAgain = async () => {
    if (document.hidden || !current || isUnderWay(current.job)) return;
    try {
      const next = await api.getJob(id);
      // A film that plays is left alone where nothing has happened.
      if (!left && (isUnderWay(next.job) || next.job.endedAt !== current.job.endedAt)) take(next);
    } catch {
      // What is shown was so, and the next look may be answered.
    }
  };
  document.addEventListener("visibilitychange", lookAgain);
  const ticking = setInterval(() => {
    if (!current) return;
    work.tick(current.job);
    freshen();
  }, 1000);

  return {
    node,
    leave() {
      left = true;
      stream.close();
      clearInterval(ticking);
      document.removeEventListener("visibilitychange", lookAgain);
      document.title = "Tijera";
    },
  };
}

const isUnderWay = ({ status }) => status === "pending" || status === "processing";

function factsOf(job) {
  const names = new Intl.DisplayNames(language(), { type: "language" });
  return [
    ago(job.createdAt),
    job.durationSeconds ? clock(job.durationSeconds) : null,
    job.language && job.language !== "und" ? names.of(job.language) : null,
    job.options.aspect,
    t(`options.durationPreset.${job.options.durationPreset}`),
    job.tookSeconds !== undefined && job.status === "ready" ? t("job.took", { time: span(job.tookSeconds) }) : null,
  ].filter(Boolean).join(" · ");
}

function progressPanel() {
  const percent = el("span", { class: "percent" });
  const stage = el("p", { class: "progress-stage" });
  const eta = el("p", { class: "progress-eta" });
  const bar = el("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": t("job.progress") }, el("span"));
  const node = el("section", { class: "progress" }, el("div", { class: "progress-row" }, percent, el("div", {}, stage, eta)), bar);
  let said = null;
  return {
    node,
    update(job) {
      node.hidden = job.status !== "pending" && job.status !== "processing";
      const share = Math.floor(job.progress);
      percent.textContent = `${number(share)} %`;
      bar.setAttribute("aria-valuenow", share);
      bar.firstChild.style.width = `${job.progress}%`;
      const waiting = job.status === "pending";
      node.classList.toggle("is-waiting", waiting);
      stage.textContent = waiting
        ? job.deferredUntil ? t("job.deferred") : job.queuePosition > 0 ? t("job.queued", { count: job.queuePosition }) : t("job.next")
        : job.stage ? t(`stage.${job.stage}.doing`) : "";
      eta.textContent = job.etaSeconds > 0 ? t("job.eta", { time: span(job.etaSeconds) }) : "";
      if (stage.textContent !== said) announce((said = stage.textContent));
    },
  };
}
