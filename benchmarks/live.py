"""The worker in service: from the broker's having an event to its being in the figures, and how scrapes hold it up.

A worker of its own, on one core (`benchmarks.live_worker`), gets events at a steady rate while both pages are scraped.
It notes when what offsets are applied, and for how long its event loop stands still; an event's time is the broker's
(`LogAppendTime`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

from kafka import KafkaConsumer

from benchmarks.work import HEADERS, Work, targets_text
from loket.broker import EventProducer, apply_topics, changelog_topic
from loket.clock import SYSTEM_CLOCK
from loket.settings import Connection

__all__ = ["lines"]

APP_ID: Final = "loket-bench-live"
RATE: Final = 2_000
LIVE_S: Final = 20
SCRAPE_S: Final = 4
PARTITIONS: Final = 4

Scrapes = dict[str, list[tuple[float, int]]]
"""Of each path, how long (s) each scrape took and how many series it gave."""


def lines(kafka: Any, topic: str, done: Work, units: int, folder: Path) -> Iterator[str]:
    """What was measured, as lines of a table; the topic is empty still."""
    targets, notes = folder / "targets.yaml", folder / "notes"
    targets.write_text(targets_text(units), encoding="utf-8")
    connection = Connection(bootstrap=kafka.bootstrap)
    apply_topics(connection, [changelog_topic(APP_ID, PARTITIONS)])
    live = RATE * LIVE_S
    with EventProducer(connection, topic) as producer:
        for key, value in done.events[:-live]:
            producer.send(key, value, HEADERS)
    call = [sys.executable, "-m", "benchmarks.live_worker", APP_ID, kafka.bootstrap, topic, str(targets), str(notes)]
    path = os.pathsep.join(path for path in sys.path if path)
    with subprocess.Popen(call, env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.DEVNULL) as worker:
        try:
            url = _until(lambda: notes.with_suffix(".url").read_text(encoding="utf-8") if _is_ready(notes) else None)
            began_ms = SYSTEM_CLOCK.now_ms()
            scrapes = _live(connection, topic, done.events[-live:], url)
            time.sleep(2)  # the worker writes its notes each second
        finally:
            worker.send_signal(signal.SIGTERM)
    applied, pauses = _noted(notes, began_ms)
    waits = sorted(
        applied[partition][1][at] - ms
        for partition, offset, ms in _appended(kafka.bootstrap, topic)
        if ms >= began_ms and (at := bisect_right(applied[partition][0], offset)) < len(applied[partition][0])
    )
    yield f"{len(waits):,} events at {RATE:,}/s until applied: p50 {median(waits):.0f} ms   p99 {_p99(waits):.0f} ms"
    yield f"the event loop stood still for {_p99(pauses):.0f} ms (p99) and at most {max(pauses):.0f} ms"
    for name, took in scrapes.items():
        seconds, series = [entry[0] for entry in took], took[-1][1]
        yield f"{name:<20} {series:9,} series in {median(seconds):.2f} s  ({min(seconds):.2f} to {max(seconds):.2f})"


def _live(connection: Connection, topic: str, events: list[tuple[bytes, bytes]], url: str) -> Scrapes:
    """Send events at their rate while another process scrapes."""
    scrapes: Scrapes = {"/metrics": [], "/metrics/employees": []}
    call = [sys.executable, "-c", _SCRAPER, url, str(SCRAPE_S), str(LIVE_S // SCRAPE_S), *scrapes]
    with (
        EventProducer(connection, topic) as producer,
        subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as scraper,
    ):
        began = SYSTEM_CLOCK.monotonic()
        for number, (key, value) in enumerate(events):
            ahead = began + number / RATE - SYSTEM_CLOCK.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            producer.send(key, value, HEADERS)
        told, _ = scraper.communicate()
    for line in told.splitlines():
        name, seconds, series = json.loads(line)
        scrapes[name].append((seconds, series))
    return scrapes


_SCRAPER: Final = """
import json, sys, time, urllib.request
url, pause, turns, *paths = sys.argv[1:]
for _ in range(int(turns)):
    for path in paths:
        began = time.monotonic()
        page = urllib.request.urlopen(url + path).read()
        took = time.monotonic() - began
        print(json.dumps([path, took, sum(not line.startswith(b"#") for line in page.splitlines())]), flush=True)
    time.sleep(float(pause))
"""


def _until(found: Callable[[], str | None]) -> str:
    for _ in range(1_200):
        value = found()
        if value is not None:
            return value
        time.sleep(0.1)
    raise SystemExit("the worker was not ready within two minutes")


def _is_ready(notes: Path) -> bool:
    url = notes.with_suffix(".url")
    if not url.exists():
        return False
    try:
        with urllib.request.urlopen(f"{url.read_text(encoding='utf-8')}/-/ready") as answer:  # noqa: S310 (our own)
            return bool(answer.status == 200)
    except OSError:
        return False


def _noted(notes: Path, began_ms: int) -> tuple[dict[int, tuple[list[int], list[float]]], list[float]]:
    """Of each partition the next offsets and when (ms) they were reached, and how long the loop stood (ms)."""
    applied: dict[int, tuple[list[int], list[float]]] = {}
    pauses: list[float] = []
    for line in notes.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        pauses += [ms for at, ms in told["pauses"] if at >= began_ms]
        for ms, partition, next_ in told["applied"]:
            nexts, times = applied.setdefault(partition, ([], []))
            nexts.append(next_)
            times.append(ms)
    return applied, sorted(pauses)


def _appended(bootstrap: str, topic: str) -> Iterator[tuple[int, int, int]]:
    reader = KafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=3_000)
    for record in reader:
        yield record.partition, record.offset, record.timestamp
    reader.close()


def _p99(values: list[float]) -> float:
    return values[min(len(values) - 1, len(values) * 99 // 100)]
