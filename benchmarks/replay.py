"""The worker's own code over an existing topic, from its beginning to the ends found at the start, until it is durable.

`clock: event`, so that the log's own times rule; the group and the changelog are new, and the changelog goes again. The
last line of standard output is the report (`benchmarks.meter`).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import uuid
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mode.loop

mode.loop.use("uvloop")  # as the command `loket worker` does: before anything of Faust is imported

from kafka import KafkaAdminClient  # noqa: E402

from benchmarks.meter import Meter  # noqa: E402
from benchmarks.work import WAIT_EDGES_MS  # noqa: E402
from loket.broker import apply_topics, changelog_topic, partition_count  # noqa: E402
from loket.clock import SYSTEM_CLOCK  # noqa: E402
from loket.domain.state import UnitState  # noqa: E402
from loket.domain.steps import EMPTY_SERVICE  # noqa: E402
from loket.domain.tally import BUCKETS_MS, ServiceTally  # noqa: E402
from loket.errors import LoketError  # noqa: E402
from loket.logs import set_up_logs  # noqa: E402
from loket.settings import WorkerSettings  # noqa: E402
from loket.targets import TargetsFile  # noqa: E402
from loket_streams.collecting import collect_seldom  # noqa: E402
from loket_streams.partitions import Partition, Partitions  # noqa: E402
from loket_streams.process import WorkerProcess  # noqa: E402
from loket_streams.tallies import Tallies  # noqa: E402
from loket_streams.worker import NO_SOURCE, Worker  # noqa: E402

TARGETS = Path(__file__).with_name("targets.yaml")
LOOK_S = 0.01


class Watched(Partitions):
    """Partitions that note when the first batch comes to be applied: its partition is looked up."""

    meter: Meter

    def get(self, number: int) -> Partition | None:
        self.meter.begin()
        return super().get(number)


def main() -> None:
    """Replay a topic."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--targets", type=Path, default=TARGETS, help="default: 600 s for the units u000 to u199")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    app_id = f"loket-bench-{uuid.uuid4().hex[:8]}"
    settings = WorkerSettings(
        bootstrap=args.bootstrap, topic=args.topic, targets=str(args.targets), clock="event", app_id=app_id
    )
    count = partition_count(settings.connection, settings.topic)
    changelog = changelog_topic(app_id, count)
    apply_topics(settings.connection, [changelog])
    set_up_logs(verbose=False)
    collect_seldom()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    status = 1
    try:
        loop.run_until_complete(_replay(settings, count, args.out))
        status = 0
    except LoketError as error:
        print(error, file=sys.stderr)
    finally:
        admin = KafkaAdminClient(bootstrap_servers=args.bootstrap)
        admin.delete_topics([changelog.name])
        admin.close()
        os._exit(status)  # everything is safe, and Faust's tasks and threads would be waited for


async def _replay(settings: WorkerSettings, count: int, out: Path) -> None:
    targets = TargetsFile(Path(str(settings.targets)))
    partitions = Watched(settings.topic, targets.policy)
    meter = partitions.meter = Meter()
    worker = Worker(
        partitions,
        Tallies(),
        NO_SOURCE,
        SYSTEM_CLOCK,
        event_clock=True,
        fixed_now_ms=None,
        checkpoint_interval_s=settings.checkpoint_interval_s,
    )
    worker.until_end = True
    process = WorkerProcess(settings, SYSTEM_CLOCK, targets, worker, partitions=count)
    serving = asyncio.create_task(process.serve(lambda _tell: None))
    while not worker.at_end and not serving.done():  # noqa: ASYNC110 (an event would be one for the benchmark alone)
        await asyncio.sleep(LOOK_S)
    if serving.done():
        serving.result()
    meter.end()
    events = sum(partition.durable or 0 for partition in partitions)
    rows = (row for partition in partitions for state in partition.units.values() for row in _rows(state))
    meter.report("loket", settings.app_id, events, rows, out)


def _rows(state: UnitState) -> Iterator[dict[str, Any]]:
    for service, tally in state.tallies.items():
        if service != EMPTY_SERVICE:
            yield {"unit": state.unit, "service": service} | _service(tally)
    for employee, counts in state.people.items():
        yield {
            "unit": state.unit,
            "employee": employee,
            "served": counts.exact("served"),
            "service_ms_sum": counts.exact("service_ms"),
        }


def _service(tally: ServiceTally) -> dict[str, Any]:
    waits, services = tally.histograms.get("wait_seconds"), tally.histograms.get("service_seconds")
    buckets = [0] * (len(WAIT_EDGES_MS) + 1)
    for bound, number in zip((*BUCKETS_MS["wait_seconds"], 1 << 62), waits.buckets if waits else (), strict=False):
        buckets[bisect_left(WAIT_EDGES_MS, bound)] += number
    return {
        "issued": tally.counts.exact("tickets_issued"),
        "called": sum(tally.counts.exact(f"waits_answered/{within}") for within in ("yes", "no", "none")),
        "completed": tally.counts.exact("tickets_closed/completed"),
        "breached": tally.settled.get("breached", 0),
        "wait_ms_sum": waits.sum_ms - waits.corrected_ms if waits else 0,
        "service_ms_sum": services.sum_ms - services.corrected_ms if services else 0,
        "wait_buckets": buckets,
    }


if __name__ == "__main__":
    main()
