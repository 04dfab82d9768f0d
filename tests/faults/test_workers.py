"""Workers that are killed, paused, stopped and away: metrics and record are in the end what the domain says."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from loket.domain.policy import DAY, HOUR
from support.kafka import KafkaBroker
from support.process import wait_until
from support.rounds import dice_of, rounds
from support.stream_worker import PLACES
from support.streams import StreamWorker, read_all
from support.whole import Whole, events_of

MakeWhole = Callable[..., Whole]

IN_A_CHECKPOINT, IN_RECOVERY = PLACES[:5], PLACES[5:]
MONDAY_NOON = 1_769_403_600_000
"""2026-01-26T05:00:00Z, noon in Jakarta."""


@rounds()
def test_killed_at_random_moments_under_load(kafka: KafkaBroker, make_whole: MakeWhole, fault_round: int) -> None:
    dice = dice_of("killed", fault_round)
    whole = make_whole(kafka)
    worker = whole.worker(*(["--member-id", "one"] if dice.random() < 0.5 else []))
    worker.start()
    feed = whole.feed(whole.events(800, dice), seconds=6)
    for _ in range(3):
        time.sleep(dice.uniform(0.2, 2.2))
        worker.kill()
        worker.start()
    feed.finish()
    whole.assert_exact(worker)


@rounds()
@pytest.mark.parametrize("places", [IN_A_CHECKPOINT, IN_RECOVERY], ids=["checkpoint", "recovery"])
def test_killed_inside_a_checkpoint_and_inside_recovery(
    kafka: KafkaBroker, make_whole: MakeWhole, places: tuple[str, ...], fault_round: int
) -> None:
    dice = dice_of("inside", fault_round)
    whole = make_whole(kafka, partitions=2)
    first = whole.worker("--member-id", "one")
    first.start(ready=True)
    whole.send(whole.events(150, dice))
    whole.stream.settled(first)
    wait_until(lambda: durable(first), 60, "a first checkpoint")
    first.kill()
    for place in places:
        whole.send(whole.events(60, dice))
        # Places that come once for each partition are passed twice; the others once for each unit, batch or fetch.
        often = 2 if place in ("durable", "committed", "installing", "seeking", "seated", "reading") else 6
        at = (
            1 if place in ("installing", "reading") else dice.randint(1, 1 if place in ("seeking", "seated") else often)
        )
        worker = whole.worker("--member-id", "one", "--die-in", f"{place}:{at}", LOKET_CHECKPOINT_INTERVAL_S="0.3")
        # How many units, batches and fetches there are is up to the dice and the machine: more come until it dies.
        assert worker.dies(lambda: whole.send(whole.events(20, dice))) == -signal.SIGKILL, place
    last = whole.worker("--member-id", "one")
    last.start()
    whole.assert_exact(last)


def durable(worker: StreamWorker) -> bool:
    """Whether all that it has applied is safe."""
    told = worker.state().get("partitions", {}).values()
    return bool(told) and all(partition["durable"] == partition["next"] for partition in told)


@rounds()
def test_paused_past_its_session_and_back_beside_the_new_owner_then_both_killed(
    kafka: KafkaBroker, make_whole: MakeWhole, fault_round: int
) -> None:
    """What it writes then lies over what the new owner wrote; a worker that recovers must not believe it."""
    dice = dice_of("paused", fault_round)
    whole = make_whole(kafka)
    # Asked whether it is a member still it writes nothing; it may be paused after it has asked.
    writes = fault_round % 2 == 0
    away = whole.worker(*(["--without", "membership-check"] if writes else []), LOKET_CHECKPOINT_INTERVAL_S="120")
    present = whole.worker()
    away.start(ready=True)
    present.start(ready=True)
    feed = whole.feed(whole.events(400, dice), seconds=1)
    wait_until(lambda: any(told["dirty"] for told in away.state()["partitions"].values()), 60, "changes")
    time.sleep(dice.uniform(0, 0.5))
    before = away.state().get("rebalances", 0)
    away.process.pause()
    feed.finish()
    whole.send(whole.events(300, dice))
    whole.stream.settled(present, timeout_s=90)
    wait_until(lambda: durable(present), 60, "the new owner to write")
    away.process.resume()
    if writes:
        wait_until(lambda: away.state().get("written", 0) > 0, 60, "the old writer to write")
    else:
        wait_until(lambda: away.state().get("rebalances", 0) > before, 60, "the old writer to be taken in again")
        assert away.state()["written"] == 0
    time.sleep(dice.uniform(0, 1.5))
    for worker in dice.sample([present, away], 2):
        worker.kill()
    after = whole.worker()
    after.start()
    whole.assert_exact(after)


@rounds()
def test_one_joins_and_leaves_beside_another(kafka: KafkaBroker, make_whole: MakeWhole, fault_round: int) -> None:
    dice = dice_of("joins", fault_round)
    whole = make_whole(kafka)
    first, second = whole.worker(), whole.worker()
    first.start(ready=True)
    feed = whole.feed(whole.events(1_000, dice), seconds=8)
    second.start(ready=True)
    time.sleep(dice.uniform(0, 1.5))
    second.stop()
    assert second.process.status == 0
    second.start(ready=dice.random() < 0.5)
    time.sleep(dice.uniform(0, 1.5))
    second.kill()
    second.start()
    feed.finish()
    whole.assert_exact(first, second)


@rounds()
def test_stopped_while_busy_nothing_of_what_it_said_is_read_again(
    kafka: KafkaBroker, make_whole: MakeWhole, fault_round: int
) -> None:
    dice = dice_of("stopped", fault_round)
    whole = make_whole(kafka)
    worker = whole.worker("--member-id", "one")
    whole.send(whole.events(1_500, dice))
    feed = whole.feed(whole.events(500, dice), seconds=4)
    worker.start()
    wait_until(lambda: applied(worker) > 0, 60, "the first events")
    time.sleep(dice.uniform(0, 1))
    told = worker.stop()
    assert worker.process.status == 0
    assert "durable and committed" in told
    committed = whole.stream.committed()
    assert sum(committed.values()) > 0
    worker.start()
    feed.finish()
    judged = whole.assert_exact(worker)
    assert applied(worker) == len(judged.results) - sum(committed.values())


def applied(worker: StreamWorker) -> int:
    """Records that this process took into units."""
    events = worker.state().get("events", {})
    return sum(events.get(result, 0) for result in ("applied", "duplicate"))


@rounds()
def test_away_over_the_end_of_a_service_day(kafka: KafkaBroker, make_whole: MakeWhole, fault_round: int) -> None:
    """Killed in the middle of a day, started the day after the next: the days between end as if it had been there."""
    dice = dice_of("away", fault_round)
    whole = make_whole(kafka, event_clock=True)
    worker = whole.worker()
    worker.start(ready=True)
    noon = events_of(150, dice.randrange(1 << 30), begin_ms=MONDAY_NOON)
    half = len(noon) // 2
    whole.send(noon[:half])
    whole.stream.settled(worker)
    if dice.random() < 0.5:
        wait_until(lambda: durable(worker), 60, "a checkpoint")
    worker.kill()
    whole.send(noon[half:])
    whole.send(events_of(60, dice.randrange(1 << 30), begin_ms=MONDAY_NOON + 13 * HOUR))
    whole.send(events_of(60, dice.randrange(1 << 30), begin_ms=MONDAY_NOON + 2 * DAY))
    worker.start()
    whole.assert_exact(worker)
    whole.send(noon[:20])  # repeats of a day that is over
    judged = whole.assert_exact(worker)
    assert "late" in {result for _, _, result in judged.results}


@rounds()
def test_a_first_start_on_an_empty_broker(own_kafka: KafkaBroker, make_whole: MakeWhole, fault_round: int) -> None:
    """Not even the topic of the groups' offsets is there; worker and sink join before the first event is sent."""
    dice = dice_of("empty", fault_round)
    whole = make_whole(own_kafka)
    worker, sink = whole.worker(), whole.sink()
    worker.start()
    sink.start()
    time.sleep(dice.uniform(0, 2))
    whole.send(whole.events(50, dice))
    whole.assert_exact(worker, sink=sink)


@rounds()
def test_recovered_from_a_changelog_that_kafka_has_compacted(
    kafka: KafkaBroker, make_whole: MakeWhole, fault_round: int
) -> None:
    """Its log cleaner has really run: of many records of a unit the last is left, and deleted pages are gone."""
    dice = dice_of("compacted", fault_round)
    whole = make_whole(kafka, partitions=1)
    kafka.configure(
        f"{whole.stream.app_id}-units-changelog",
        {"segment.ms": 100, "min.cleanable.dirty.ratio": 0.01, "min.compaction.lag.ms": 0, "delete.retention.ms": 0},
    )
    worker = whole.worker("--member-id", "one", LOKET_CHECKPOINT_INTERVAL_S="0.2")
    worker.start(ready=True)
    written: int = 0

    def is_compacted() -> bool:
        nonlocal written
        whole.send(whole.events(20, dice))
        written = int(worker.state().get("written", written))
        return 0 < 2 * changelog_records(whole) < written

    wait_until(is_compacted, 90, "Kafka to compact the changelog", every_s=0.3)
    if dice.random() < 0.5:
        worker.kill()
    else:
        worker.stop()
    worker.start()
    whole.assert_exact(worker)
    worker.kill()
    worker.start()
    whole.assert_exact(worker)


def changelog_records(whole: Whole) -> int:
    """How many records the changelog still has."""
    changelog = f"{whole.stream.app_id}-units-changelog"
    return sum(len(found) for found in read_all(whole.stream.bootstrap, changelog, whole.stream.partitions).values())
