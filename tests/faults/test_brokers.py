"""A broker that restarts, freezes, or forgets what nobody has read: nothing is lost, or who reads stops and says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kafka import KafkaAdminClient, TopicPartition

from support.kafka import KafkaBroker
from support.process import wait_until
from support.rounds import dice_of, rounds
from support.streams import StreamWorker, read_all
from support.whole import Judged, Whole

MakeWhole = Callable[..., Whole]


def still_there(worker: StreamWorker) -> None:
    """Start a worker again where it has ended, which it may if it says so."""
    if not worker.process.running:
        assert "start it again" in worker.process.output()
        worker.start()


@rounds()
def test_restarted_in_order_and_killed_while_it_is_read(
    hurt_kafka: KafkaBroker, make_whole: MakeWhole, fault_round: int
) -> None:
    dice = dice_of("restarted", fault_round)
    whole = make_whole(hurt_kafka)
    worker, sink = whole.worker(), whole.sink()
    worker.start(ready=True)
    sink.start()
    feed = whole.feed(whole.events(400, dice), seconds=6)
    for end in dice.sample([hurt_kafka.stop, hurt_kafka.kill], 2):
        time.sleep(dice.uniform(0.3, 1.5))
        end()
        time.sleep(dice.uniform(0, 1))
        hurt_kafka.start()
    feed.finish()
    still_there(worker)
    whole.assert_exact(worker, sink=sink)


@rounds()
def test_frozen_past_the_session_of_those_who_read(
    hurt_kafka: KafkaBroker, make_whole: MakeWhole, fault_round: int
) -> None:
    dice = dice_of("frozen", fault_round)
    whole = make_whole(hurt_kafka, session_s=3)
    worker, sink = whole.worker(), whole.sink()
    worker.start(ready=True)
    sink.start()
    feed = whole.feed(whole.events(400, dice), seconds=3)
    time.sleep(dice.uniform(0.3, 1.5))
    hurt_kafka.pause()
    try:
        time.sleep(dice.uniform(4, 6))
    finally:
        hurt_kafka.resume()
    feed.finish()
    still_there(worker)
    whole.assert_exact(worker, sink=sink)


def forget(whole: Whole, before: dict[int, int]) -> None:
    """Have the broker remove what is before these offsets, as retention does."""
    admin = KafkaAdminClient(bootstrap_servers=whole.stream.bootstrap)
    admin.delete_records({TopicPartition(whole.stream.topic, number): offset for number, offset in before.items()})
    admin.close()


def merged(known: dict[int, list[Any]], left: dict[int, list[Any]], whole: Whole) -> Judged:
    """What the domain makes of what was read and of what is left."""
    return Judged({number: [*known[number], *left[number]] for number in known}, whole.policy)


@rounds()
def test_events_that_retention_removed_unread_stop_worker_and_sink_at_their_start(
    kafka: KafkaBroker, make_whole: MakeWhole, fault_round: int
) -> None:
    dice = dice_of("retention", fault_round)
    whole = make_whole(kafka, partitions=2)
    worker = whole.worker()
    whole.send(whole.events(60, dice))
    worker.start()
    whole.assert_exact(worker)
    worker.stop()
    read = read_all(whole.stream.bootstrap, whole.stream.topic, 2)
    ends = whole.stream.ends()
    whole.send(whole.events(100, dice))
    forget(whole, {number: end + dice.randint(1, 40) for number, end in ends.items()})

    assert worker.dies() == 1
    told = worker.process.output()
    assert "removed by retention before they were read" in told
    assert "--accept-lost-events" in told
    assert "Traceback" not in told
    sink = whole.sink()
    assert sink.dies() == 1
    told = sink.process.output()
    assert "are gone, as retention removed them before they were stored" in told
    assert "--accept-lost-events" in told
    assert "Traceback" not in told
    assert whole.stored() == ends

    willing = whole.worker("--accept-lost-events")
    willing.start()
    sink.start("--accept-lost-events")
    left = read_all(whole.stream.bootstrap, whole.stream.topic, 2)
    whole.assert_exact(willing, sink=sink, judged=merged(read, left, whole))


@rounds()
def test_events_that_retention_removes_under_the_hands_of_worker_and_sink_stop_both(
    kafka: KafkaBroker, make_whole: MakeWhole, fault_round: int
) -> None:
    dice = dice_of("retention running", fault_round)
    whole = make_whole(kafka, partitions=1, session_s=30)
    worker, sink = whole.worker(), whole.sink(session_timeout_s="30")
    worker.start(ready=True)
    sink.start()
    whole.send(whole.events(30, dice))
    whole.assert_exact(worker, sink=sink)
    ends = whole.stream.ends()
    worker.process.pause()
    sink.process.pause()
    whole.send(whole.events(60, dice))
    time.sleep(1)  # what they had asked for is answered while they are paused: a few events at most
    whole.send(whole.events(60, dice))
    forget(whole, {0: whole.stream.ends()[0] - dice.randint(1, 30)})
    worker.process.resume()
    sink.process.resume()
    assert worker.wait(60) == 1
    told = worker.process.output()
    assert "should have come" in told or "removed by retention" in told
    wait_until(lambda: not sink.process.running, 60, "the sink to stop")
    assert sink.process.status == 1
    assert "are gone, as retention removed them" in sink.process.output()
    assert whole.stored()[0] >= ends[0]
    known = read_all(whole.stream.bootstrap, whole.stream.topic, 1)[0][0].offset
    assert whole.stored()[0] < known
