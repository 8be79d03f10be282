// The strip of nodes at the top, and the colour each node has everywhere on the page.

import * as api from "./api.js";
import { el } from "./dom.js";
import { t } from "./i18n.js";

const colours = ["#2dd4bf", "#ff6f61", "#ffb347", "#a78bfa", "#60a5fa", "#f472b6", "#a3e635", "#e2e8f0"];
const known = [];
const refreshMilliseconds = 4000;
const firstLookMilliseconds = 1500;
let latest = null;
let offline = false;

/// The same node has the same colour for as long as the page is open.
export function colourOf(node) {
  if (!node) return "#5b7686";
  if (!known.includes(node)) known.push(node);
  return colours[known.indexOf(node) % colours.length];
}

/// From the level on which new jobs wait, everybody is told before they send.
function renderOverload() {
  const banner = document.getElementById("overload");
  const level = offline ? null : latest?.overload?.level;
  const isShown = level === "defer_new" || level === "refuse";
  banner.hidden = !isShown;
  const text = isShown ? t(`overload.${level}`) : "";
  // Written only when it changes: what is written is read aloud.
  if (banner.textContent !== text) banner.textContent = text;
}

export function renderCluster() {
  renderOverload();
  const strip = document.getElementById("cluster");
  if (offline || !latest?.nodes) {
    const key = offline ? "cluster.offline" : latest ? "cluster.database" : "cluster.loading";
    strip.replaceChildren(el("span", { class: `cluster-note${latest || offline ? " is-bad" : ""}`, text: t(key) }));
    return;
  }
  const alive = latest.nodes.filter((node) => node.state === "alive");
  const chips = latest.nodes.map((node) => {
    const busy = node.running.length;
    const state = node.state !== "alive" ? t("cluster.dead") : busy ? t("cluster.busy", { count: busy }) : t("cluster.idle");
    const chip = el(
      "li",
      { class: `node is-${node.state}${busy ? " is-busy" : ""}`, title: `${node.id} · ${node.region} · ${state}` },
      el("span", { class: "node-light", "aria-hidden": "true" }),
      el("span", { class: "node-name", text: node.id }),
      el("span", { class: "node-region", text: node.region }),
      el("span", { class: "hidden", text: state }),
    );
    chip.style.setProperty("--node", colourOf(node.id));
    return chip;
  });
  strip.replaceChildren(
    el("span", { class: "cluster-count", text: t("cluster.alive", { count: alive.length }) }),
    el("ul", { class: "nodes" }, chips),
  );
  document.getElementById("served-by").textContent = t("footer.servedBy", {
    node: latest.node,
    region: latest.region,
    version: latest.version,
  });
}

async function refresh() {
  try {
    latest = await api.health();
    latest.nodes?.map((node) => node.id).sort().forEach(colourOf);
    offline = false;
  } catch {
    offline = true;
  }
  renderCluster();
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/// Looks once, so that nodes get their colours in the order of their names whatever view comes first; a server that
/// hesitates does not hold the page up. Then goes on looking for as long as the page is open.
export async function meetCluster() {
  await Promise.race([refresh(), pause(firstLookMilliseconds)]);
  watch();
}

/// Where else the page could be opened, should this node be gone.
export const otherNodes = () =>
  (latest?.nodes ?? []).filter((node) => node.state === "alive" && node.http !== location.origin);

/// The largest video the server takes, in bytes; undefined while it is not known.
export function uploadBytesMax() {
  return latest?.limits?.uploadBytesMax;
}

async function watch() {
  for (;;) {
    await pause(document.hidden ? 5 * refreshMilliseconds : refreshMilliseconds);
    await refresh();
  }
}
