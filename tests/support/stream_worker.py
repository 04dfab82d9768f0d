"""A worker for the tests, run as a process: `-m support.stream_worker [--without CURE]…`, settings by environment.

It is the product's worker, with a page `/state` beside the metrics: every unit, how far it is read, what is
counted. A cure that is left out shows what it is for: the test of a cure passes with it and sees the fault without it.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

CURES: dict[str, Callable[[], None]] = {}


def cure(function: Callable[[], None]) -> Callable[[], None]:
    CURES[function.__name__.replace("_", "-")] = function
    return function


@cure
def recovery_guard() -> None:
    from loket_streams.app import LoketApp

    async def nothing(self: LoketApp) -> None:
        pass

    LoketApp.guard_recovery = nothing  # type: ignore[method-assign]


@cure
def gap_check() -> None:
    from loket_streams import processing

    class Unchecked(processing.Processor):
        def process(self, batch: Any) -> None:
            partition = self._partitions.get(batch.partition)
            if partition is not None and partition.next is not None and batch.begin > partition.next:
                partition.next = batch.begin
            super().process(batch)

    processing.Processor = Unchecked  # type: ignore[misc]


@cure
def held_commits() -> None:
    """Commit what is applied, as Faust does, and not what is durable."""
    from loket_streams.partitions import Partitions

    def applied(self: Partitions, partition: int) -> int | None:
        known = self.assigned.get(partition)
        return known.next if known is not None else None

    Partitions.durable = applied  # type: ignore[method-assign]


@cure
def highest_offset_wins() -> None:
    """Take the last record of each key, as a table does."""
    from loket_streams import changelog

    changelog.offset_of = lambda record: record.offset


@cure
def foreign_write_check() -> None:
    from loket_streams.checkpoints import Checkpointer

    def nothing(self: Checkpointer, partition: Any, offset: int | None) -> None:
        pass

    Checkpointer._expect = nothing  # type: ignore[method-assign]


@cure
def membership_check() -> None:
    """Write without asking whether the group still knows this worker, as one does that is paused after it has asked."""
    from loket_streams.checkpoints import Checkpointer

    async def nothing(self: Checkpointer, foreign: Any) -> None:
        pass

    Checkpointer._verify = nothing  # type: ignore[method-assign]


@cure
def failing_store() -> None:
    """Let an exception of the store go to Faust, which logs it and waits."""
    from loket_streams.store import UnitStore

    def go_on(self: UnitStore, number: int, error: Exception) -> None:
        raise error

    UnitStore._fail = go_on  # type: ignore[method-assign]


@cure
def failing_agent() -> None:
    """Let an exception of the agent go to Faust, which acknowledges its event and starts the agent again."""
    from loket_streams.app import LoketApp

    LoketApp.fail = lambda self, error: None  # type: ignore[method-assign]


ending_recovery = {"now": False, "delivered": 0}
"""Whether recovery is ending, and how many messages of the events were given to Faust meanwhile."""


def slow_seek() -> None:
    """Not a cure: let the end of recovery last a second, as with a slow broker, and count what is fetched in it."""
    from loket_streams.transport import Consumer

    seek, message = Consumer.perform_seek, Consumer._batch_message

    async def slowly(self: Any) -> None:
        ending_recovery["now"] = True
        await seek(self)
        await asyncio.sleep(1)
        ending_recovery["now"] = False

    def counted(self: Any, tp: Any, batch: Any, generation: int) -> Any:
        if ending_recovery["now"] and tp.topic == self.app.source_topic:
            ending_recovery["delivered"] += len(batch.records)
        return message(self, tp, batch, generation)

    Consumer.perform_seek = slowly  # type: ignore[method-assign]
    Consumer._batch_message = counted  # type: ignore[method-assign]


PLACES = (
    *("encoding", "sending", "acknowledging", "durable", "committed"),
    *("reading", "decoding", "installing", "seeking", "seated"),
)
"""Where a worker may die: the first five in a checkpoint, in this order, the others in recovery."""


def die_in(place: str, at: int) -> None:
    """Not a cure: have the process killed when it passes a place for the `at`th time."""
    from loket_streams import checkpoints, store, transport
    from loket_streams.app import KafkaChangelog
    from loket_streams.fetching import ConsumerThread

    passed = 0

    def here() -> None:
        nonlocal passed
        passed += 1
        if passed >= at:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying(owner: Any, name: str) -> None:
        """Die after a function has done its work."""
        does = getattr(owner, name)
        if asyncio.iscoroutinefunction(does):

            async def do_async(*arguments: Any, **named: Any) -> Any:
                found = await does(*arguments, **named)
                here()
                return found

            setattr(owner, name, do_async)
        else:

            def do(*arguments: Any, **named: Any) -> Any:
                found = does(*arguments, **named)
                here()
                return found

            setattr(owner, name, do)

    def acknowledging() -> None:
        send = KafkaChangelog.send_batch

        async def answered(sent: Any) -> Any:
            found = await sent
            here()
            return found

        async def send_batch(self: Any, batch: Any, partition: int) -> Any:
            return answered(await send(self, batch, partition))

        KafkaChangelog.send_batch = send_batch  # type: ignore[method-assign]

    vars(checkpoints)["MAX_RECORD_BYTES"] = 4_000  # several batches, of which some are written
    places: dict[str, Callable[[], None]] = {
        "encoding": lambda: dying(checkpoints.Checkpointer, "_records"),
        "sending": lambda: dying(KafkaChangelog, "send_batch"),
        "acknowledging": acknowledging,
        "durable": lambda: dying(checkpoints.Checkpointer, "_checkpoint"),
        "committed": lambda: dying(transport.Consumer, "_commit"),
        "reading": lambda: dying(store.UnitStore, "_take"),
        "decoding": lambda: dying(store, "decode_unit"),
        "installing": lambda: dying(store.UnitStore, "_install"),
        "seeking": lambda: dying(ConsumerThread, "find"),
        "seated": lambda: dying(ConsumerThread, "seat"),
    }
    places[place]()


def hang_in_stop(deadline_s: float) -> None:
    """Not a cure: hang for ever, the event loop too, once the group is to be left; the deadline comes sooner."""
    from loket_streams import running
    from loket_streams.app import LoketApp

    async def hang(self: LoketApp) -> None:
        print("hanging", flush=True)
        time.sleep(1_000)  # noqa: ASYNC251 (the loop is to hang)

    LoketApp.stop = hang
    vars(running)["STOP_S"] = deadline_s


def broken_processor(at: int) -> None:
    """Not a cure: fail once at an offset, as if the machine had failed the worker."""
    from loket_streams import processing

    class Broken(processing.Processor):
        broken = False

        def _take(self, partition: Any, records: Any) -> None:
            super()._take(partition, self._until_broken(records))

        def _until_broken(self, records: Any) -> Any:
            for record in records:
                if record.offset == at and not Broken.broken:
                    Broken.broken = True
                    print("it is broken now", flush=True)
                    raise OSError("no memory left")
                yield record

    processing.Processor = Broken  # type: ignore[misc]


def pages(worker: Any) -> dict[str, Any]:
    from loket.serving import text
    from loket_streams import exporter
    from support.streams import as_told

    def state() -> Any:
        partitions = {}
        with worker.partitions.lock:
            for partition in worker.partitions:
                partitions[partition.number] = {
                    "next": partition.next,
                    "durable": partition.durable,
                    "ready": partition.ready,
                    "loaded": partition.loaded,
                    "lag": worker.lag(partition),
                    "dirty": len(partition.dirty),
                    "units": {unit: as_told(state) for unit, state in partition.units.items()},
                }
        checkpoints = worker.checkpoints
        return text(
            200,
            json.dumps(
                {
                    "partitions": partitions,
                    "events": worker.tallies.events,
                    "rebalances": worker.rebalances,
                    "checkpoints": checkpoints.written,
                    "failed_checkpoints": checkpoints.failed,
                    "written": checkpoints.records,
                    "foreign_writes": checkpoints.foreign_writes,
                    "loop": type(asyncio.get_event_loop_policy()).__module__,
                    "delivered_while_recovery_ended": ending_recovery["delivered"],
                    "root_level": logging.getLogger().level,
                }
            ),
        )

    return {**exporter.pages(worker), "/state": state}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--without", action="append", default=[], choices=sorted(CURES))
    parser.add_argument("--until-end", action="store_true")
    parser.add_argument("--accept-lost-events", action="store_true")
    parser.add_argument("--break-at", type=int)
    parser.add_argument("--slow-seek", action="store_true")
    parser.add_argument("--patience", type=float, default=20)
    parser.add_argument("--member-id")
    parser.add_argument("--die-in", metavar="PLACE:TIME")
    parser.add_argument("--hang-in-stop", type=float, metavar="DEADLINE_S")
    given = parser.parse_args()

    from loket.clock import SYSTEM_CLOCK
    from loket.errors import LoketError
    from loket.logs import set_up_logs
    from loket.settings import WorkerSettings, load

    set_up_logs(verbose=False)
    import mode.loop

    mode.loop.use("uvloop")
    for name in given.without:
        CURES[name]()
    if given.slow_seek:
        slow_seek()
    if given.break_at is not None:
        broken_processor(given.break_at)
    if given.hang_in_stop is not None:
        hang_in_stop(given.hang_in_stop)
    if given.die_in is not None:
        place, _, number = given.die_in.partition(":")
        die_in(place, int(number))
    from loket_streams.running import run

    try:
        run(
            load(WorkerSettings),
            SYSTEM_CLOCK,
            pages=pages,
            until_end=given.until_end,
            accept_lost_events=given.accept_lost_events,
            patience_s=given.patience,
            member_id=given.member_id,
        )
    except LoketError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
