// Strings live in es.json, en.json and pt.json. The choice is remembered; without one, Spanish.

const languages = ["es", "en", "pt"];
const storageKey = "tijera.language";
let strings = {};
let current = "es";

export function language() {
  return current;
}

export async function useLanguage(wanted) {
  current = languages.includes(wanted) ? wanted : "es";
  const response = await fetch(`/assets/${current}.json`);
  if (!response.ok) throw new Error(`strings of ${current}: ${response.status}`);
  strings = await response.json();
  document.documentElement.lang = current;
  for (const node of document.querySelectorAll("[data-i18n]")) node.textContent = t(node.dataset.i18n);
}

export function remembered() {
  try {
    return localStorage.getItem(storageKey) ?? "es";
  } catch {
    return "es"; // Storage may be forbidden; the page works without it.
  }
}

export function remember(choice) {
  try {
    localStorage.setItem(storageKey, choice);
  } catch {
    // As above.
  }
}

/// The string under `key` with `{name}` filled in. With `count` in `values`, `key.one` or `key.other` by the rules of
/// the language.
export function t(key, values = {}) {
  let text = strings[key];
  if (values.count !== undefined) {
    text = strings[`${key}.${new Intl.PluralRules(current).select(values.count)}`] ?? strings[`${key}.other`] ?? text;
  }
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/// The string under `key`, or `fallback` where there is none.
export function tOr(key, fallback, values = {}) {
  return key in strings ? t(key, values) : fallback;
}
