// What the pages have in common: shapes beside colours, what is said of the data, the switch of languages.

import { clock, language, lasting, say, speak } from "./words.js";
import { h, put } from "./dom.js";
import { isPresent } from "./live.js";

export const SHAPES = {
  nobody: "○", within: "●", near: "▲", over: "■", no_target: "◆", stale: "✖",
  open: "●", break: "◐", closed: "◼",
  critical: "■", warning: "▲", info: "●",
};

export function languages(place, draw) {
  const names = { id: "Bahasa Indonesia", en: "English" };
  put(
    place,
    Object.entries(names).map(([code, name]) =>
      h("button", { type: "button", lang: code, title: name, "aria-label": name, "aria-pressed": String(code === language), "data-code": code }, code.toUpperCase())
    )
  );
  place.onclick = (event) => {
    const code = event.target.dataset.code;
    if (!code || code === language) return;
    speak(code);
    languages(place, draw);
    draw();
  };
}

// The words for data that are not the present, or null.
export function warning(data, zone) {
  if (isPresent(data)) return null;
  if (data.state === "connecting") return h("div", { class: "notice" }, say("connecting"));
  const values = { at: data.as_of ? clock(data.as_of, zone) : "–", time: lasting(data.silent), readers: data.readers };
  return h(
    "div",
    { class: "caution", role: "alert", "data-state": data.state },
    h("strong", {}, h("span", { class: "shape", "aria-hidden": "true" }, data.state === "late" ? "▲ " : "✖ "), say(`data_${data.state}`)),
    h("p", {}, say(`data_${data.state}_more`, values))
  );
}

export function hours(state) {
  return state === null || state === undefined
    ? null
    : h("span", { class: `hours ${state}` }, h("span", { class: "shape", "aria-hidden": "true" }, SHAPES[state]), " ", say(state));
}

export function waited(queue, data, now) {
  if (queue.start === null) return null;
  const as = data.state === "live" ? now : data.as_of;
  return Math.max(0, as - queue.start);
}
