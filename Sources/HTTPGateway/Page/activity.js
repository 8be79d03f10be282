// What happened, in the order in which it happened: for people who want to know.

import { colourOf } from "./cluster.js";
import { el } from "./dom.js";
import { describe } from "./errors.js";
import { language, t } from "./i18n.js";

const rowsMax = 200;
/// Opened stages say nothing that their start does not say.
const silent = new Set(["stage.opened"]);

export function activityLog() {
  const list = el("ol", { class: "activity-list" });
  const node = el("details", { class: "panel activity" }, el("summary", { text: t("activity.title") }), list);
  const time = new Intl.DateTimeFormat(language(), { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return {
    node,
    add(event) {
      if (silent.has(event.kind)) return;
      const row = el(
        "li",
        { class: `is-${event.kind.replace(".", "-")}` },
        el("time", { datetime: event.at, text: time.format(new Date(event.at)) }),
        el("span", { class: "activity-node", text: event.node ?? "" }),
        el("span", { text: [t(`event.${event.kind}`), stageName(event.stage)].filter(Boolean).join(" ") }),
        event.error ? el("span", { class: "activity-error", text: describe(event.error).title }) : null,
      );
      row.style.setProperty("--node", colourOf(event.node));
      list.prepend(row);
      while (list.children.length > rowsMax) list.lastChild.remove();
    },
  };
}

function stageName(stage) {
  const parts = /^(\w+)(?:\[(\d+)\])?$/.exec(stage ?? "");
  if (!parts) return "";
  return parts[2] === undefined ? t(`stage.${parts[1]}`) : `${t(`stage.${parts[1]}`)} ${Number(parts[2]) + 1}`;
}
