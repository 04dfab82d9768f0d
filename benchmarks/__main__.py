"""`python -m benchmarks`: everything, or the parts that are named. Ratios count; the machine decides about the rest.

domain    the decoder and the fold, beside a bare msgspec decode
scale     the fold with more units and open tickets
country   memory and restart of 10,000 units with 100 open and 200 closed tickets each
calendar  service time for 100,000 open requests, and windows at a scrape
worker    the worker on a real Kafka, beside Faust as documented
live      from the broker to the figures at 2,000 events/s on one core, and what scrapes do to it
sink      the sink into SQLite and PostgreSQL, beside a plain insert of the same bytes
year      (only if it is named) a year of a city, simulated, imported, stored and rebuilt by Loket's commands on a real
          Kafka and PostgreSQL, with the memory of each; --events 3000000 for the whole of it
targets   (only if it is named) print the targets of the work
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the servers of the tests

from benchmarks import broker, calendar, domain, live, scale, year
from benchmarks.work import targets_text, work


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join([*PARTS, *NAMED]))
    parser.add_argument("--events", type=int, default=40_000, help="(default: 40000)")
    parser.add_argument("--units", type=int, default=200)
    parser.add_argument("--days", type=int, default=365, help="of the year (default: 365)")
    parser.add_argument("--turns", type=int, default=3, help="how often each is measured; the median counts")
    args = parser.parse_args()
    if args.parts == ["targets"]:
        print(targets_text(args.units), end="")
        return
    if unknown := set(args.parts) - set(PARTS) - set(NAMED):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores of {_processor()}, load {os.getloadavg()[0]:.1f}"
    )
    for part in args.parts or PARTS:
        print(f"\n{part}", flush=True)
        for line in (PARTS | NAMED)[part](args):
            print(f"  {line}", flush=True)


def _processor() -> str:
    try:
        found = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("model name")[2].partition("\n")[0]
    except OSError:
        return platform.machine()
    return found.strip(" \t:") or platform.machine()


def _domain(args: argparse.Namespace) -> Iterator[str]:
    yield from domain.lines(args.events, args.turns)


def _scale(_args: argparse.Namespace) -> Iterator[str]:
    yield from scale.lines()


def _country(_args: argparse.Namespace) -> Iterator[str]:
    yield from scale.country(10_000)


def _calendar(args: argparse.Namespace) -> Iterator[str]:
    yield from calendar.lines(args.turns)


def _worker(args: argparse.Namespace) -> Iterator[str]:
    done = work(args.events, args.units)
    with tempfile.TemporaryDirectory() as folder, broker.kafka(Path(folder, "kafka")) as kafka:
        topic = broker.fill(kafka, done)
        rates: dict[str, list[tuple[float, float]]] = {"loket": [], "faust": []}
        for _ in range(args.turns):
            for name, report in (
                ("loket", broker.worker(kafka, topic, done, args.units)),
                ("faust", broker.documented(kafka, topic, done)),
            ):
                rates[name].append((report["events"] / report["seconds"], report["events"] / report["cpu_seconds"]))
    base = [median(values) for values in zip(*rates["faust"], strict=True)]
    for name, label in (("loket", "Loket's worker"), ("faust", "Faust as documented")):
        rate, per_cpu = (median(values) for values in zip(*rates[name], strict=True))
        yield (
            f"{label:<24} {rate:10,.0f} events/s {rate / base[0]:6.1f} ×   "
            f"{per_cpu:10,.0f} events per CPU second {per_cpu / base[1]:6.1f} ×"
        )


def _live(args: argparse.Namespace) -> Iterator[str]:
    done = work(args.events + live.RATE * live.LIVE_S, args.units)
    with tempfile.TemporaryDirectory() as folder, broker.kafka(Path(folder, "kafka")) as kafka:
        topic = kafka.create_topic("", live.PARTITIONS, message_timestamp_type="LogAppendTime")
        yield from live.lines(kafka, topic, done, args.units, Path(folder))


def _sink(args: argparse.Namespace) -> Iterator[str]:
    done = work(args.events, args.units)
    number = len(done.events)
    with tempfile.TemporaryDirectory() as folder, broker.kafka(Path(folder, "kafka")) as kafka:
        topic = broker.fill(kafka, done)
        with broker.databases(Path(folder)) as databases:
            for name, url in databases.items():
                plain_s = broker.plain_insert(done, url)
                sink_s, cpu_s = broker.sink(kafka, topic, number, url)
                yield (
                    f"{name:<12} sink {number / sink_s:8,.0f} events/s with its start   "
                    f"{number / cpu_s:8,.0f} per CPU second   plain insert {number / plain_s:8,.0f} rows/s   "
                    f"{plain_s / sink_s:.2f} ×"
                )


def _year(args: argparse.Namespace) -> Iterator[str]:
    yield from year.lines(args.events, args.days)


PARTS = {
    "domain": _domain,
    "calendar": _calendar,
    "scale": _scale,
    "country": _country,
    "worker": _worker,
    "live": _live,
    "sink": _sink,
}
NAMED = {"year": _year}

main()
