// A unit as the people in its hall see it: numbers called, people waiting, the estimated wait. Nothing old is shown.

import { about, clock, counted, named, say } from "./words.js";
import { at, h, put } from "./dom.js";
import { follow, isPresent } from "./live.js";

const SERVICES_AT_ONCE = 4;
const TURN_MS = 8000;
const unit = new URLSearchParams(location.search).get("unit") || "";
const began = performance.now();

function show(told, data, now) {
  document.title = `${named(told && told.name, unit)} · Loket`;
  put(at("name"), named(told && told.name, unit));
  put(at("clock"), told === null ? "" : clock(data.state === "replay" ? data.as_of : now, told.zone));
  const fresh = told !== null && isPresent(data);
  document.body.classList.toggle("old", !fresh);
  put(at("warning"), fresh ? state(told) : data.state === "connecting" ? null : trouble(data));
  put(at("now"), fresh ? calling(told) : null);
  put(at("before"), fresh ? before(told) : null);
  put(at("queue"), fresh ? queue(told) : null);
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
  return h("div", { class: "shut" }, h("span", { class: "shape", "aria-hidden": "true" }, told.hours === "closed" ? "◼ " : "◐ "), say(told.hours === "closed" ? "hall_closed" : "hall_break"));
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
  const pages = Math.max(1, Math.ceil(told.services.length / SERVICES_AT_ONCE));
  const page = Math.floor((performance.now() - began) / TURN_MS) % pages;
  const services = told.services.slice(page * SERVICES_AT_ONCE, (page + 1) * SERVICES_AT_ONCE);
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
