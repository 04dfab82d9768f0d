// All units of this worker, the worst first.

import { lasting, named, percent, say } from "./words.js";
import { at, h, put } from "./dom.js";
import { follow, isPresent } from "./live.js";
import { hours, languages, SHAPES, waited, warning } from "./shown.js";

let last = null;

function draw() {
  if (last !== null) show(...last);
}

function show(told, data, now) {
  last = [told, data, now];
  document.title = `${say("title")} · Loket`;
  put(at("name"), say("title"));
  put(at("warning"), data.state === "elsewhere" ? null : warning(data, ""));
  document.body.classList.toggle("old", !isPresent(data));
  if (told === null) return;
  put(
    at("units"),
    told.units.length === 0 ? h("p", { class: "quiet" }, say("no_units")) : told.units.map((row) => unit(row, data, now))
  );
  put(
    at("more"),
    told.left_out ? h("p", { class: "quiet" }, say("units_more", { number: told.left_out })) : null,
    told.of !== null && told.partitions < told.of ? h("p", { class: "quiet" }, say("partitions", { have: told.partitions, of: told.of })) : null
  );
}

function unit(row, data, now) {
  // A page that is cut off knows nothing of any unit.
  const own = isPresent(data) ? row.data : { ...row.data, state: row.data.state === "live" ? data.state : row.data.state };
  const state = isPresent(own) ? row.queue.state : "stale";
  const long = waited(row.queue, own, now);
  const level = percent(row.level);
  return h(
    "a",
    { class: `unit ${state}`, href: `/unit?unit=${encodeURIComponent(row.unit)}`, "data-unit": row.unit },
    h("span", { class: "shape", "aria-hidden": "true" }, SHAPES[state]),
    h(
      "div",
      { class: "what" },
      h("strong", {}, named(row.name, row.unit)),
      h("span", { class: "state" }, say(state === "stale" && row.data.state === "late" ? "data_late" : state), " ", isPresent(own) ? hours(row.hours) : null, row.known ? null : ` · ${say("not_in_targets")}`)
    ),
    h("div", { class: "cell" }, h("span", { class: "value" }, String(row.queue.waiting)), h("span", { class: "more" }, say("waiting").toLowerCase())),
    h(
      "div",
      { class: "cell" },
      h("span", { class: "value" }, long === null ? "–" : lasting(long)),
      h("span", { class: "more" }, row.queue.target_ms === null ? say("longest").toLowerCase() : `${say("target")} ${lasting(row.queue.target_ms)}`)
    ),
    h("div", { class: "cell wide" }, h("span", { class: "value" }, row.counters_open === null ? "–" : String(row.counters_open)), h("span", { class: "more" }, say("counters_open").toLowerCase())),
    h("div", { class: "cell wide" }, h("span", { class: "value" }, level), h("span", { class: "more" }, say("level").toLowerCase()))
  );
}

languages(at("languages"), draw);
follow("/api/overview/events", show);
