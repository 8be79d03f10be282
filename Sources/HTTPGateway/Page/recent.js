// The jobs there are, newest first.

import * as api from "./api.js";
import { el, icon } from "./dom.js";
import { describe, errorNotice } from "./errors.js";
import { ago } from "./format.js";
import { t } from "./i18n.js";

const refreshMilliseconds = 5000;

export function recentJobs() {
  const list = el("ul", { class: "jobs" }, Array.from({ length: 3 }, () => el("li", { class: "skeleton" })));
  const more = el("button", { type: "button", class: "button", hidden: true, text: t("recent.more") });
  const note = el("div");
  const node = el("section", { class: "recent", "aria-labelledby": "recent-title" },
    el("h2", { id: "recent-title", text: t("recent.title") }), note, list, more);

  let older = []; // Pages behind the first; the first is looked at again and again.
  let cursor = null;
  let gone = false;
  let timer = null;

  const paint = (first) => {
    const rows = [...first, ...older.filter((job) => !first.some((other) => other.id === job.id))];
    list.replaceChildren(...rows.map(row));
    note.replaceChildren(...(rows.length ? [] : [empty()]));
    more.hidden = cursor === null;
  };
  const refresh = async () => {
    try {
      const page = await api.listJobs();
      if (gone) return;
      if (!older.length) cursor = page.nextCursor ?? null;
      latest = page.jobs;
      paint(latest);
    } catch (failure) {
      if (gone) return;
      if (!latest.length) list.replaceChildren();
      note.replaceChildren(errorNotice(failure));
    }
    timer = setTimeout(refresh, document.hidden ? 6 * refreshMilliseconds : refreshMilliseconds);
  };
  let latest = [];
  more.addEventListener("click", async () => {
    more.disabled = true;
    try {
      const page = await api.listJobs(cursor);
      older = [...older, ...page.jobs];
      cursor = page.nextCursor ?? null;
      paint(latest);
    } catch (failure) {
      note.replaceChildren(errorNotice(failure));
    }
    more.disabled = false;
  });
  refresh();
  return {
    node,
    leave() {
      gone = true;
      clearTimeout(timer);
    },
  };
}

function empty() {
  return el("p", { class: "empty" }, icon("film"), t("recent.empty"));
}

function row(job) {
  const detail = job.error ? describe(job.error).title : ago(job.createdAt);
  return el(
    "li",
    {},
    el(
      "a",
      { class: "job-row", href: `#/jobs/${job.id}` },
      el("span", { class: `pill is-${job.status}`, text: t(`status.${job.status}`) }),
      el("span", { class: "job-row-name", text: job.fileName ?? job.id }),
      el("span", { class: "job-row-detail", text: detail }),
    ),
  );
}
