// A unit as its staff see it.

import { clock, counted, keep, kept, lasting, named, percent, say } from "./words.js";
import { at, h, put } from "./dom.js";
import { follow, isPresent } from "./live.js";
import { hours, languages, SHAPES, waited, warning } from "./shown.js";

const unit = new URLSearchParams(location.search).get("unit") || "";
let last = null;
const cards = new Map();
const forms = new Set();

function draw() {
  if (last !== null) show(...last);
}

function show(told, data, now) {
  last = [told, data, now];
  const zone = told ? told.zone : "";
  document.title = `${named(told && told.name, unit)} · Loket`;
  put(at("back"), "‹ ", say("all_units"));
  put(at("hall-link"), say("hall_page"), " ›");
  at("hall-link").href = `/hall?unit=${encodeURIComponent(unit)}`;
  put(at("name"), named(told && told.name, unit));
  put(at("about"), about_data(told, data, now));
  put(at("warning"), warning(data, zone));
  const has = told !== null && told.data.as_of !== null;
  document.body.classList.toggle("old", !isPresent(data));
  put(at("verdict"), has ? verdict(told, data, now) : null);
  put(at("figures"), has ? figures(told, data, now) : null);
  put(at("services"), has ? services(told, data, now) : null);
  put(at("calls"), has ? calls(told, data, now) : null);
  alerts(told, now);
}

function about_data(told, data, now) {
  if (told === null) return null;
  const parts = [hours(isPresent(data) ? told.hours : null)];
  if (data.state === "live") parts.push(h("span", { class: "live" }, "● ", say("data_live")));
  if (data.state === "replay") parts.push(h("span", {}, "▷ ", say("data_replay", { at: clock(data.as_of, told.zone) })));
  if (told.data.as_of !== null)
    parts.push(
      h("span", {}, told.data.last_event === null ? say("no_event") : say("last_event", { time: lasting(now - told.data.last_event) }))
    );
  return parts;
}

function verdict(told, data, now) {
  const queue = told.queue;
  const state = isPresent(data) ? queue.state : "stale";
  const long = waited(queue, data, now);
  const values = { people: queue.waiting, time: lasting(long || 0), target: queue.target_ms === null ? "" : lasting(queue.target_ms) };
  let text = say("verdict_nobody");
  if (state === "stale") text = null;
  else if (queue.over_target === 1 && state === "over") text = say("verdict_over_1", values);
  else if (state === "over" && queue.over_target > 1) text = say("verdict_over", { ...values, people: queue.over_target });
  else if (queue.waiting && queue.target_ms !== null) text = say(queue.waiting === 1 ? "verdict_wait_1" : "verdict_wait", values);
  else if (queue.waiting) text = say("verdict_free", values);
  return h(
    "div",
    { class: `verdict ${state}`, "data-queue": state },
    h("span", { class: "shape", "aria-hidden": "true" }, SHAPES[state]),
    h("div", {}, h("strong", {}, say(state)), text === null ? null : h("p", {}, text))
  );
}

function tile(label, value, more, id) {
  return h("div", { class: "tile", id }, h("span", { class: "label" }, label), h("span", { class: "value" }, value), more ? h("span", { class: "more" }, more) : null);
}

function figures(told, data, now) {
  const queue = told.queue;
  const long = waited(queue, data, now);
  const target = queue.target_ms === null ? null : `${say("target")} ${lasting(queue.target_ms)}`;
  return [
    tile(say("waiting"), String(queue.waiting), people(queue), "waiting"),
    tile(say("longest"), long === null ? "–" : lasting(long), target, "longest"),
    tile(say("counters_open"), told.counters_open === null ? "–" : String(told.counters_open), null, "counters"),
    tile(say("level"), percent(told.level), null, "level"),
    tile(say("served"), String(told.served), null, "served"),
  ];
}

const people = (queue) => (queue.over_target ? `${queue.over_target} ${say("over_target").toLowerCase()}` : say(queue.waiting === 1 ? "person" : "people"));

function services(told, data, now) {
  return [
    h("h2", {}, say("services")),
    h("ul", { class: "services" }, told.services.map((service) => line(service, data, now))),
  ];
}

function line(service, data, now) {
  const queue = service.queue;
  const state = isPresent(data) ? queue.state : "stale";
  const long = waited(queue, data, now);
  const bar = h("div", { class: "bar", "aria-hidden": "true" });
  const filled = h("div", { class: "filled" });
  filled.style.width = `${long === null || !queue.target_ms ? 0 : Math.min(100, (100 * long) / queue.target_ms)}%`;
  bar.append(filled);
  const target = queue.target_ms === null ? say("no_promise") : `${say("target")} ${lasting(queue.target_ms)}`;
  return h(
    "li",
    { class: `service ${state}`, "data-service": service.service },
    h("span", { class: "shape", title: say(state), role: "img", "aria-label": say(state) }, SHAPES[state]),
    h(
      "div",
      { class: "what" },
      h("strong", {}, named(service.name, service.service)),
      h("span", { class: "more" }, [long === null ? null : `${say("longest").toLowerCase()} ${lasting(long)}`, target].filter(Boolean).join(" · ")),
      queue.target_ms === null ? null : bar,
      service.expected_ms === null || !isPresent(data) ? null : h("span", { class: "more" }, say("expected_new", { time: lasting(Math.ceil(service.expected_ms / 60000) * 60000) }))
    ),
    h(
      "div",
      { class: "people" },
      h("span", { class: "value" }, String(queue.waiting)),
      h("span", { class: "more" }, people(queue))
    )
  );
}

function calls(told, data, now) {
  return [
    h("h2", {}, say("calls")),
    told.calls.length === 0
      ? h("p", { class: "quiet" }, say("no_calls"))
      : h(
          "ol",
          { class: "calls" },
          told.calls.map((call) =>
            h(
              "li",
              {},
              h("strong", { class: "number" }, call.number === null ? say("hidden_number") : call.number),
              h("span", { class: "to" }, [call.counter === null ? null : counted(call.counter), named(call.service)].filter(Boolean).join(" · ")),
              h("span", { class: "more" }, clock(call.at, told.zone), data.state === "live" ? ` · ${say("ago", { time: lasting(now - call.at) })}` : "")
            )
          )
        ),
  ];
}

// Alerts. A card is made anew only when what it says has changed: somebody may be writing in it.
function alerts(told, now) {
  const place = at("alerts");
  if (told === null) return;
  const state = told.alerts.state;
  put(at("alerts-title"), say("alerts"));
  const firing = told.alerts.shown.filter((alert) => alert.ended === null).length;
  let text = null;
  if (state === "ok") text = firing === 0 ? say("alerts_none") : null;
  else text = say(state === "none" ? "alerts_no_receiver" : `alerts_${state}`);
  put(at("alerts-state"), text === null ? null : h("p", { class: state === "ok" || state === "none" || state === "waiting" ? "quiet" : "trouble" }, text));
  const wanted = new Map(told.alerts.shown.map((alert) => [alert.id, alert]));
  for (const [id, card] of cards)
    if (!wanted.has(id)) {
      card.element.remove();
      cards.delete(id);
      forms.delete(id);
    }
  let before = null;
  for (const [id, alert] of wanted) {
    const says = JSON.stringify([alert, told.can_take, document.documentElement.lang]);
    const known = cards.get(id);
    if (!known || known.says !== says) {
      const element = card(alert, told);
      if (known) known.element.replaceWith(element);
      cards.set(id, { element, says });
    }
    const element = cards.get(id).element;
    if (before === null ? place.firstElementChild !== element : before.nextElementSibling !== element)
      before === null ? place.prepend(element) : before.after(element);
    before = element;
  }
  put(at("alerts-more"), told.alerts.left_out ? h("p", { class: "quiet" }, say("alerts_more", { number: told.alerts.left_out })) : null);
}

function when(text, zone) {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : clock(ms, zone);
}

function card(alert, told) {
  const lang = document.documentElement.lang;
  const severity = SHAPES[alert.severity] ? alert.severity : "info";
  const steps = alert.steps[lang] || [];
  const over = alert.ended !== null;
  return h(
    "article",
    { class: `alert ${severity}${over ? " ended" : ""}${alert.taken ? " taken" : ""}`, "data-alert": alert.id },
    h(
      "header",
      {},
      h("span", { class: "severity" }, h("span", { class: "shape", "aria-hidden": "true" }, over ? "✓" : SHAPES[severity]), " ", over ? say("alert_ended", { time: when(alert.ended, told.zone) }) : say(severity)),
      h("span", { class: "more" }, say("alert_since", { time: when(alert.started, told.zone) }))
    ),
    h("p", { class: "summary" }, named(alert.summary, alert.name)),
    over || steps.length === 0
      ? null
      : h("div", { class: "steps" }, h("span", { class: "label" }, say("steps")), h("ol", {}, steps.map((step) => h("li", {}, step)))),
    alert.taken
      ? h("p", { class: "who" }, h("span", { "aria-hidden": "true" }, "✔ "), say("taken", { by: alert.taken.by, time: when(alert.taken.at, told.zone) }), alert.taken.note ? h("span", { class: "note" }, `“${alert.taken.note}”`) : null)
      : null,
    h(
      "footer",
      {},
      over || alert.taken ? null : told.can_take ? take(alert) : h("span", { class: "quiet" }, say("read_only")),
      alert.runbook_url === null ? null : h("a", { class: "runbook", href: alert.runbook_url, rel: "noreferrer", target: "_blank" }, say("runbook"), " ↗")
    )
  );
}

const token = () => kept("loket-token", sessionStorage) || kept("loket-token");

function take(alert) {
  const box = h("div", { class: "take" });
  const close = () => {
    forms.delete(alert.id);
    box.classList.remove("open");
    put(box, h("button", { type: "button", class: "primary", onclick: open }, say("take")));
  };
  const open = () => {
    forms.add(alert.id);
    const has = token();
    const by = h("input", { name: "by", maxlength: "80", required: true, autocomplete: "name", value: kept("loket-name") || "" });
    const note = h("textarea", { name: "note", maxlength: "500", rows: "2" });
    const secret = h("input", { name: "token", type: "password", autocomplete: "off", required: true, value: has || "" });
    const remember = h("input", { type: "checkbox", checked: Boolean(kept("loket-token")) });
    const said = h("p", { class: "said", role: "status" });
    const form = h(
      "form",
      {
        onsubmit: async (event) => {
          event.preventDefault();
          keep("loket-name", by.value.trim());
          put(said, await send(alert, by.value, note.value, secret.value, remember.checked));
        },
      },
      h("label", {}, say("by"), by),
      h("label", {}, say("note"), note),
      h("label", {}, say("token"), secret),
      h("label", { class: "check" }, remember, say("remember")),
      h("div", { class: "buttons" }, h("button", { class: "primary" }, say("send")), h("button", { type: "button", onclick: close }, say("cancel"))),
      said
    );
    box.classList.add("open");
    box.replaceChildren(form);
    (by.value ? note : by).focus();
  };
  forms.has(alert.id) ? open() : close();
  return box;
}

async function send(alert, by, note, secret, remember) {
  try {
    const answer = await fetch(`/api/alerts/${encodeURIComponent(alert.id)}/acknowledgement`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${secret}` },
      body: JSON.stringify({ unit, by: by.trim(), note: note.trim() }),
    });
    if (answer.status === 201) {
      keep("loket-token", secret, sessionStorage);
      keep("loket-token", remember ? secret : null);
      forms.delete(alert.id);
      return say("taken_by_me");
    }
    const told = await answer.json();
    if (told.error === "token") {
      keep("loket-token", null, sessionStorage);
      keep("loket-token", null);
    }
    const known = ["token", "receiver_token", "unknown", "taken", "body", "away"].includes(told.error);
    return say(known ? `err_${told.error}` : told.error === "read_only" ? "read_only" : "err_other", { by: told.by || "–" });
  } catch {
    return say("err_other");
  }
}

languages(at("languages"), draw);
follow(`/api/unit/events?unit=${encodeURIComponent(unit)}`, show);
