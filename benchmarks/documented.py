"""The baseline: the same figures in Faust as its documentation shows it.

An app, Records for the events, tables in `memory://`, one agent, one worker; no more than the figures of the result, so
none of Loket's rules for what comes late, twice with another meaning, or in another order.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import uuid
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.meter import Meter
from benchmarks.work import TARGET_S, WAIT_EDGES_MS

LAST = 64
"""Completed tickets of a unit that are remembered, so that a repeat does not count."""


class Data(faust.Record):
    unit: str
    service: str | None = None
    employee: str | None = None


class Event(faust.Record):
    type: str
    time: str
    subject: str
    data: Data


class Fold:
    """What the agent does to the tables."""

    def __init__(self, app: Any) -> None:
        self.tickets = app.Table("tickets")
        self.services = app.Table("services")
        self.employees = app.Table("employees")
        self.done = app.Table("done", default=list)

    def apply(self, event: Any) -> None:
        # Faust reads .201 as 201 microseconds where ciso8601 is not installed, so not by `coerce`.
        unit, at = event.data.unit, round(datetime.fromisoformat(event.time).timestamp() * 1000)
        key = f"{unit}|{event.subject}"
        ticket = self.tickets.get(key)
        if event.type == "loket.ticket.issued":
            if ticket is None and event.subject not in self.done[unit]:
                self.tickets[key] = {"service": f"{unit}|{event.data.service}", "issued": at}
                self._tally(self.tickets[key]["service"], issued=1)
        elif ticket is None:
            return
        elif event.type == "loket.ticket.called" and "called" not in ticket:
            self.tickets[key] = {**ticket, "called": at}
            wait = at - ticket["issued"]
            self._tally(ticket["service"], called=1, wait_ms_sum=wait, breached=wait > TARGET_S * 1000, wait=wait)
        elif event.type == "loket.service.started" and "started" not in ticket:
            self.tickets[key] = {**ticket, "started": at}
        elif event.type == "loket.service.completed":
            took = at - ticket["started"]
            self._tally(ticket["service"], completed=1, service_ms_sum=took)
            employee = f"{unit}|{event.data.employee}"
            person = self.employees.get(employee) or {"served": 0, "service_ms_sum": 0}
            person["served"] += 1
            person["service_ms_sum"] += took
            self.employees[employee] = person
            self.done[unit] = [*self.done[unit][1 - LAST :], event.subject]
            self.tickets.pop(key)

    def _tally(self, service: str, *, wait: int | None = None, **changes: int) -> None:
        tally = self.services.get(service) or {
            **dict.fromkeys(("issued", "called", "completed", "breached", "wait_ms_sum", "service_ms_sum"), 0),
            "wait_buckets": [0] * (len(WAIT_EDGES_MS) + 1),
        }
        for figure, change in changes.items():
            tally[figure] += change
        if wait is not None:
            tally["wait_buckets"][bisect_left(WAIT_EDGES_MS, wait)] += 1
        self.services[service] = tally

    def rows(self) -> Iterator[dict[str, Any]]:
        for table, name in ((self.services, "service"), (self.employees, "employee")):
            for key, tally in table.items():
                unit, value = key.split("|")
                yield {"unit": unit, name: value, **tally}


async def _ends(bootstrap: str, topic: str) -> dict[int, int]:
    """The end offset of each partition."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        return {tp.partition: end for tp, end in (await consumer.end_offsets(partitions)).items()}
    finally:
        await consumer.stop()


def main() -> None:
    """Replay a topic."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="for what Faust keeps on disk")
    args = parser.parse_args()
    ends = asyncio.run(_ends(args.bootstrap, args.topic))
    asyncio.set_event_loop(asyncio.new_event_loop())
    app_id = f"faust-bench-{uuid.uuid4().hex[:8]}"
    app = faust.App(
        app_id,
        broker=f"kafka://{args.bootstrap}",
        store="memory://",
        topic_partitions=len(ends),
        datadir=str(args.folder),
        autodiscover=False,
    )
    fold, meter, total = Fold(app), Meter(), sum(ends.values())
    applied = 0

    @app.agent(app.topic(args.topic, key_type=str, value_type=Event))
    async def tally(events: Any) -> None:
        nonlocal applied
        async for event in events:
            meter.begin()
            fold.apply(event)
            applied += 1

    @app.task
    async def report() -> None:
        while applied < total:  # noqa: ASYNC110 (an event at each record would slow the baseline down)
            await asyncio.sleep(0.02)
        while app.producer.buffer.size:
            await app.producer.buffer.flush()
        await app.producer.flush()
        await app.consumer.commit()
        meter.end()
        meter.report("faust as documented", app_id, total, fold.rows(), args.out)
        os._exit(0)  # leaving the group takes Faust seconds

    sys.argv[1:] = ["worker", "-l", "info", "--without-web"]  # not -l warn: its spinner sets the root logger to DEBUG
    app.main()


if __name__ == "__main__":
    main()
