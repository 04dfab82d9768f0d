// Follows one address by server-sent events, and knows when what it has is not the present any more.

const SILENCE_MS = 15000;
const OLD_MS = 30000;
const AGAIN_MS = 5000;
const HIDDEN_MS = 60000;

// `show(told, data)` is called with each news and each second: `data.state` is what the worker says of its data, or
// "cut" (nothing was heard for too long), "full", "wrong" or "connecting".
export function follow(address, show) {
  let told = null;
  let source = null;
  let heard = null;
  let offset = null;
  let refused = null;
  let hiding = null;
  let ticked = Date.now();
  const began = performance.now();

  const now = () => (offset === null ? Date.now() : offset + performance.now());

  function state() {
    const silent = performance.now() - (heard === null ? began : heard);
    if (refused !== null) return { state: refused.error === "full" ? "full" : "wrong", ...refused, silent };
    if (heard === null && silent < SILENCE_MS) return { state: "connecting", silent };
    if (told === null || silent > SILENCE_MS) return { state: "cut", silent };
    const age = told.data.as_of === null ? 0 : now() - told.data.as_of;
    // The worker would have said more by now: it stands.
    if (told.data.state === "live" && age > OLD_MS) return { ...told.data, state: "late", silent };
    return { ...told.data, silent };
  }

  function draw() {
    show(told, state(), now());
  }

  function open() {
    if (source !== null) source.close();
    source = new EventSource(address);
    source.addEventListener("message", (event) => {
      told = JSON.parse(event.data);
      refused = null;
      heard = performance.now();
    });
    source.addEventListener("beat", (event) => {
      offset = Number(event.data) - performance.now();
      heard = performance.now();
      draw();
    });
    source.addEventListener("error", () => {
      if (source !== null && source.readyState === EventSource.CLOSED) ask();
    });
  }

  // A refusal closes the source for good and does not tell why.
  async function ask() {
    source = null;
    const stop = new AbortController();
    try {
      const answer = await fetch(address, { signal: stop.signal });
      refused = answer.ok ? null : await answer.json();
    } catch {
      refused = null;
    }
    stop.abort();
    draw();
    setTimeout(open, AGAIN_MS);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) {
      // A phone in a pocket needs no place.
      hiding = setTimeout(() => {
        if (source !== null) source.close();
        source = null;
      }, HIDDEN_MS);
    } else {
      if (source === null) open();
      draw();
    }
  });

  setInterval(() => {
    // A device that slept heard nothing meanwhile, though its own clock may have stood still with it.
    const wall = Date.now();
    if (Math.abs(wall - ticked) > SILENCE_MS) {
      heard = performance.now() - SILENCE_MS - 1;
      open();
    }
    ticked = wall;
    draw();
  }, 1000);
  open();
  draw();
}

export const isPresent = (data) => data.state === "live" || data.state === "replay";
