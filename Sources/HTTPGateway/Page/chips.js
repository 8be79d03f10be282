// A field for several short texts, each a chip that can be removed.

import { announce, el, icon } from "./dom.js";
import { t } from "./i18n.js";

const chipsMax = 20;
const charactersMax = 80;

export function chipsField(initial, onChange) {
  let chips = [...initial];
  const list = el("ul", { class: "chips" });
  const input = el("input", {
    id: "keywords", class: "input", type: "text", maxlength: charactersMax, autocomplete: "off", enterkeyhint: "done",
    placeholder: t("options.keywords.placeholder"), "aria-describedby": "hint-keywords",
  });

  const update = (next) => {
    chips = next;
    onChange(chips);
    paint();
  };
  const paint = () => {
    list.replaceChildren(
      ...chips.map((text, index) =>
        el(
          "li",
          { class: "chip" },
          el("span", { text }),
          el(
            "button",
            {
              type: "button", class: "chip-remove", "aria-label": t("options.keywords.remove", { text }),
              on: {
                click: () => {
                  update(chips.filter((_, position) => position !== index));
                  input.focus();
                },
              },
            },
            icon("close"),
          ),
        ),
      ),
    );
  };
  const take = () => {
    const fresh = input.value.split(/[,;\n]/).map((text) => text.trim()).filter(Boolean);
    const next = [...new Set([...chips, ...fresh])];
    if (next.length > chipsMax) announce(t("options.keywords.full", { n: chipsMax }));
    input.value = "";
    if (fresh.length) update(next.slice(0, chipsMax));
  };

  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      take();
    } else if (event.key === "Backspace" && input.value === "" && chips.length) {
      update(chips.slice(0, -1));
    }
  });
  input.addEventListener("input", () => {
    if (/[,;]$/.test(input.value)) take();
  });
  input.addEventListener("blur", take);
  paint();
  return el(
    "div",
    { class: "field" },
    el("label", { class: "field-name", for: "keywords", text: t("options.keywords") }),
    input,
    list,
    el("p", { class: "field-hint", id: "hint-keywords", text: t("options.keywords.hint") }),
  );
}
