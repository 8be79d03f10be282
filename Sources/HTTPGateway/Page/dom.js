// The little there is between this page and the DOM.

/// Makes an element. `props`: `class`, `text`, `dataset`, `on: {event: handler}`; everything else is an attribute
/// (true: present and empty; false, null and undefined: absent).
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "on") for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const svgNames = "http://www.w3.org/2000/svg";

const icons = {
  upload: "M12 16V4m0 0L7 9m5-5 5 5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3",
  download: "M12 4v12m0 0 5-5m-5 5-5-5M4 20h16",
  play: "M7 4.500v15l12-7.500z",
  close: "M6 6l12 12M18 6 6 18",
  back: "M15 5l-7 7 7 7",
  retry: "M4 12a8 8 0 1 1 2.500 5.800M4 12V6m0 6h6",
  trash: "M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 12h16",
  archive: "M4 8h16v12H4zM3 4h18v4H3zM10 12h4",
  alert: "M12 4 2.500 20h19zM12 10v5m0 2.500v.1",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  plus: "M12 5v14M5 12h14",
  check: "M5 12.500l4.500 4.500L19 7.500",
};

/// A line drawing; always decoration next to a text.
export function icon(name) {
  const svg = document.createElementNS(svgNames, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svgNames, "path");
  path.setAttribute("d", icons[name]);
  svg.append(path);
  return svg;
}

/// Keeps the children of `parent` equal to `items`, reusing the element of each key, so that nothing that plays, is
/// focused or moves is torn down by an update.
export function keyed(parent, items, keyOf, make, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, index) => {
    const key = String(keyOf(item));
    let node = known.get(key);
    if (!node) {
      node = make(item);
      node.dataset.key = key;
    }
    known.delete(key);
    update?.(node, item);
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
  for (const stale of known.values()) stale.remove();
}

/// Says something to people who listen to the page.
export function announce(text) {
  const announcer = document.getElementById("announcer");
  if (announcer.textContent !== text) announcer.textContent = text;
}
