// Shows /api/openapi.json to people: every operation by what it is about, with its parameters, bodies and examples.

import { el } from "./dom.js";

const main = document.getElementById("main");

/// Follows `$ref` inside of the description.
const resolved = (description, value) =>
  value?.$ref
    ? resolved(description, value.$ref.slice(2).split("/").reduce((at, name) => at?.[name], description))
    : value;

const kind = (schema) =>
  schema?.enum?.join(" | ") ?? schema?.$ref?.split("/").pop() ?? [schema?.type, schema?.format].filter(Boolean).join(", ");

function parameters(description, list) {
  const rows = list.map((given) => {
    const parameter = resolved(description, given);
    return el(
      "tr",
      {},
      el("td", {}, el("code", { text: parameter.name })),
      el("td", { text: `${parameter.in}${parameter.required ? ", required" : ""}` }),
      el("td", { text: kind(parameter.schema) ?? "" }),
      el("td", { text: parameter.description ?? "" }),
    );
  });
  return rows.length ? [el("h4", { text: "Parameters" }), el("table", {}, ...rows)] : [];
}

function content(description, title, holder) {
  return Object.entries(resolved(description, holder)?.content ?? {}).flatMap(([type, media]) => [
    el("h4", { text: `${title}: ${type}` }),
    el("pre", { text: JSON.stringify(media.example ?? resolved(description, media.schema) ?? {}, null, 2) }),
  ]);
}

function operation(description, path, method, shared, facts) {
  const answers = Object.entries(facts.responses).flatMap(([status, answer]) => [
    el("p", { text: `${status}: ${resolved(description, answer)?.description ?? ""}` }),
    ...(status === "default" ? [] : content(description, status, answer)),
  ]);
  return el(
    "details",
    { class: "operation", id: facts.operationId },
    el(
      "summary",
      {},
      el("span", { class: "verb", text: method }),
      el("code", { text: path }),
      el("span", { text: facts.summary }),
    ),
    facts.description ? el("p", { text: facts.description }) : null,
    ...parameters(description, [...shared, ...(facts.parameters ?? [])]),
    ...content(description, "Body", facts.requestBody),
    el("h4", { text: "Answers" }),
    ...answers,
  );
}

const response = await fetch("/api/openapi.json");
const description = await response.json();
const sections = description.tags.map((tag) => {
  const operations = Object.entries(description.paths).flatMap(([path, { parameters: shared = [], ...methods }]) =>
    Object.entries(methods)
      .filter(([, facts]) => facts.tags.includes(tag.name))
      .map(([method, facts]) => operation(description, path, method, shared, facts)),
  );
  return el("section", {}, el("h2", { text: tag.name }), el("p", { text: tag.description }), ...operations);
});
main.replaceChildren(
  el(
    "div",
    { class: "reference" },
    el("h1", { text: description.info.title }),
    el("p", { text: description.info.description }),
    ...sections,
  ),
);
