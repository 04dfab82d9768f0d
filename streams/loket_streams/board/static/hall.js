// A unit as the people in its hall see it: numbers called, people waiting, the estimated wait. Nothing old is shown.

import { about, clock, counted, named, say } from "./words.js";
import { at, h, put } from "./dom.js";
import { follow, isPresent } from "./live.js";

const SERVICES_AT_ONCE = 5;
const SMALLEST = 0.35;
const TURN_MS = 8000;
const unit = new URLSearchParams(location.search).get("unit") || "";
const began = performance.now();
let rows = { count: SERVICES_AT_ONCE, of: "" };

function show(told, data, now) {
  document.title = `${named(told && told.name, unit)} · Loket`;
  const name = named(told && told.name, unit);
  put(at("name"), name);
  at("name").className = name.length > 36 ? "long" : "";
  put(at("clock"), told === null ? "" : clock(data.state === "replay" ? data.as_of : now, told.zone));
  const fresh = told !== null && isPresent(data);
  document.body.classList.toggle("old", !fresh);
  put(at("warning"), fresh || data.state === "connecting" ? null : trouble(data));
  put(at("hours"), fresh ? state(told) : null);
  put(at("before"), fresh ? before(told) : null);
  fit(at("before"));
  put(at("now"), fresh ? calling(told) : null);
  fit(at("now"));
  put(at("queue"), fresh ? queue(told) : null);
  while (overflows(at("queue")) && rows.count > 1) {
    rows.count -= 1;
    put(at("queue"), queue(told));
  }
}

const overflows = (place) => place.scrollHeight > place.clientHeight + 2;

// Smaller letters where a number or a counter has a long name, measured once for each text and size of the screen.
function fit(place) {
  const key = `${place.textContent} ${innerWidth} ${innerHeight}`;
  if (place.dataset.fitted === key) return;
  place.dataset.fitted = key;
  let scale = 1;
  place.style.setProperty("--scale", scale);
  while (overflows(place) && scale > SMALLEST) {
    scale -= 0.05;
    place.style.setProperty("--scale", scale);
  }
}

function trouble(data) {
  const wrong = ["unknown", "wrong", "elsewhere", "full"].includes(data.state);
  return h(
    "div",
    { class: "trouble", role: "alert", "data-state": data.state },
    h("span", { class: "shape", "aria-hidden": "true" }, "✖ "),
    wrong ? say(`data_${data.state}`) : say("hall_stale")
  );
}

function state(told) {
  if (told.hours !== "closed" && told.hours !== "break") return null;
  return [h("span", { class: "shape", "aria-hidden": "true" }, told.hours === "closed" ? "◼ " : "◐ "), say(told.hours === "closed" ? "hall_closed" : "hall_break")];
}

const numbered = (call) => (call.number === null ? say("hidden_number") : call.number);
const to = (call) => (call.counter === null ? named(call.service) : counted(call.counter));
// Long numbers get smaller letters: by their length, as there is nothing to measure with on a screen nobody touches.
const size = (text) => (text.length <= 6 ? "short" : text.length <= 12 ? "middling" : "long");

function calling(told) {
  const call = told.calls[0];
  if (!call) return [h("span", { class: "label" }, say("now_calling")), h("span", { class: "number none" }, "–")];
  return [
    h("span", { class: "label" }, say("now_calling")),
    h("span", { class: `number ${size(numbered(call))}`, "data-number": call.number || "" }, numbered(call)),
    h("span", { class: `to ${size(to(call))}` }, to(call)),
    call.counter === null ? null : h("span", { class: "service" }, named(call.service)),
  ];
}

function before(told) {
  if (told.calls.length < 2) return null;
  return [
    h("span", { class: "label" }, say("before")),
    h("ol", {}, told.calls.slice(1).map((call) => h("li", {}, h("span", { class: `number ${size(numbered(call))}` }, numbered(call)), h("span", { class: "to" }, to(call))))),
  ];
}

function queue(told) {
  // As many rows as the screen holds, found anew for other services or another screen.
  const of = `${told.services.map((service) => named(service.name)).join()} ${innerWidth} ${innerHeight}`;
  if (rows.of !== of) rows = { count: SERVICES_AT_ONCE, of };
  const pages = Math.max(1, Math.ceil(told.services.length / rows.count));
  const page = Math.floor((performance.now() - began) / TURN_MS) % pages;
  const services = told.services.slice(page * rows.count, (page + 1) * rows.count);
  return [
    h("div", { class: "waiting" }, h("span", { class: "label" }, say("hall_waiting")), h("span", { class: "value", id: "waiting" }, String(told.waiting))),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, h("th", {}, say("service")), h("th", {}, say("waiting")), h("th", {}, say("expected")))),
      h(
        "tbody",
        {},
        services.map((service) =>
          h("tr", {}, h("td", {}, h("span", { class: "two-lines" }, named(service.name))), h("td", { class: "value" }, String(service.waiting)), h("td", {}, service.expected_ms === null ? "–" : about(service.expected_ms)))
        )
      )
    ),
    pages > 1 ? h("p", { class: "pages", "aria-hidden": "true" }, [...Array(pages).keys()].map((n) => (n === page ? "●" : "○")).join(" ")) : null,
  ];
}

follow(`/api/hall/events?unit=${encodeURIComponent(unit)}`, show);
