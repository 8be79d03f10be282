// How a failure is shown: what happened and what to do, in the reader's language where we know the code.

import { el, icon } from "./dom.js";
import { t, tOr } from "./i18n.js";

/// What the server says of these names a place in what the client wrote: it is shown beside the translation.
const withDetail = new Set(["transcript_unreadable", "invalid_edit"]);

/// `failure`: an ApiError, or the `error` of a job, a stage or a clip.
export function describe(failure) {
  return {
    title: tOr(`error.${failure.code}`, failure.detail || failure.reason || t("error.unknown")),
    hint: tOr(`error.${failure.code}.hint`, failure.hint || ""),
    detail: withDetail.has(failure.code) ? failure.detail || failure.reason || "" : "",
  };
}

export function errorNotice(failure, ...actions) {
  const { title, hint, detail } = describe(failure);
  return el(
    "div",
    { class: "notice notice-error", role: "alert" },
    icon("alert"),
    el(
      "div",
      { class: "notice-body" },
      el("p", { class: "notice-title", text: title }),
      detail ? el("p", { class: "notice-hint", text: detail }) : null,
      hint ? el("p", { class: "notice-hint", text: hint }) : null,
      el("p", { class: "notice-code", text: failure.stage ? `${failure.code} · ${failure.stage}` : failure.code }),
      actions.length ? el("div", { class: "notice-actions" }, actions) : null,
    ),
  );
}
