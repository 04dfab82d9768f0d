"""Whatever producers send, and however: worker and sink take what is an event of the contract, and say why not else.

One worker and one sink run through all of these, and after each everything that was ever sent is judged again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args
from zlib import crc32

import pytest
from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError

from loket.broker import Codec
from loket.wire.contract import MAX_VALUE_BYTES
from support.kafka import KafkaBroker
from support.rounds import dice_of, rounds
from support.sinks import SinkProcess
from support.streams import Stream, StreamWorker
from support.whole import Judged, Told, Whole

CODECS: tuple[Any, ...] = (*get_args(Codec), None)


class Running:
    """A worker and a sink that run."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole
        self.worker: StreamWorker = whole.worker()
        self.sink: SinkProcess = whole.sink()
        self.worker.start(ready=True)
        self.sink.start()

    def producer(self, **options: Any) -> KafkaProducer:
        """Somebody else's producer."""
        return KafkaProducer(bootstrap_servers=self.whole.stream.bootstrap, **options)

    def send_by(self, producer: KafkaProducer, log: list[Told], **options: Any) -> None:
        """Send records by it, and wait until they are there."""
        for key, value, headers in log:
            producer.send(self.whole.stream.topic, key=key, value=value, headers=list(headers), **options)
        producer.flush()

    def assert_exact(self) -> Judged:
        """Judge everything, as long as both run."""
        assert self.worker.process.running
        assert self.sink.process.running
        return self.whole.assert_exact(self.worker, sink=self.sink)


@pytest.fixture(scope="module")
def running(kafka: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """What all tests of this file share."""
    folder: Path = tmp_path_factory.mktemp("producers")
    with ExitStack() as stack:
        stream = stack.enter_context(Stream(kafka.bootstrap, folder, partitions=4, session_s=10).closing())
        stream.create_topics()
        url = f"sqlite:///{folder / 'record.db'}"
        yield Running(stack.enter_context(Whole(stream, url, folder).closing()))


def reasons(judged: Judged) -> dict[str, int]:
    told = [reason for _, _, reason in judged.reasons]
    return {reason: told.count(reason) for reason in told}


@rounds()
def test_batches_in_any_of_the_four_codecs_and_in_none(running: Running, fault_round: int) -> None:
    dice = dice_of("codecs", fault_round)
    log = running.whole.events(150, dice)
    producers = {codec: running.producer(compression_type=codec, linger_ms=5) for codec in CODECS}
    while log:
        several = dice.randint(1, 40)
        running.send_by(producers[dice.choice(CODECS)], log[:several])
        del log[:several]
    for producer in producers.values():
        producer.close()
    running.assert_exact()


@rounds()
def test_transactions_of_which_some_are_aborted_and_one_stays_open_for_a_while(
    running: Running, fault_round: int
) -> None:
    dice = dice_of("transactions", fault_round)
    topic = running.whole.stream.topic
    producer = running.producer(transactional_id=f"{topic}-{fault_round}")
    producer.init_transactions()
    log = running.whole.events(100, dice)
    fates = [True, False, *(dice.random() < 0.6 for _ in range(len(log)))]
    aborted: set[bytes] = set()
    while log:
        several = dice.randint(1, 30)
        producer.begin_transaction()
        running.send_by(producer, log[:several])
        if fates.pop(0):
            producer.commit_transaction()
        else:
            producer.abort_transaction()
            aborted.update(value for _, value, _ in log[:several])
        del log[:several]
    running.assert_exact()

    producer.begin_transaction()
    running.send_by(producer, running.whole.events(5, dice))
    running.whole.send(running.whole.events(5, dice))  # behind the open one, for the time being
    running.assert_exact()
    producer.abort_transaction() if dice.random() < 0.5 else producer.commit_transaction()
    producer.close()
    running.assert_exact()
    assert aborted


@rounds()
def test_a_partitioner_of_ones_own_puts_events_where_their_units_are_not(running: Running, fault_round: int) -> None:
    dice = dice_of("partitioner", fault_round)
    partitions = running.whole.stream.partitions
    before = reasons(running.whole.judged()).get("wrong_partition", 0)
    producer = running.producer()
    for told in running.whole.events(60, dice):
        # As librdkafka does where nothing else is set: some units are where they belong, by chance.
        running.send_by(producer, [told], partition=crc32(told[0]) % partitions)
    producer.close()
    judged = running.assert_exact()
    assert reasons(judged)["wrong_partition"] > before


@rounds()
def test_a_tenth_comes_twice_and_everything_in_any_order(running: Running, fault_round: int) -> None:
    dice = dice_of("shuffled", fault_round)
    log = running.whole.events(150, dice)
    log += dice.choices(log, k=len(log) // 10)
    dice.shuffle(log)
    running.whole.send(log)
    results = [result for _, _, result in running.assert_exact().results]
    assert "duplicate" in results


@rounds()
def test_bytes_that_nobody_can_decode(running: Running, fault_round: int) -> None:
    dice = dice_of("bytes", fault_round)
    log: list[Any] = [*running.whole.events(60, dice)]
    for _ in range(40):
        key, value, headers = dice.choice(log)
        junk = [
            (key, dice.randbytes(dice.randint(1, 300)), headers),
            (key, (value or b"{}")[: dice.randint(0, 40)], headers),
            (dice.randbytes(9), value, headers),
            (None, value, headers),
            (key or b"k", None, headers),  # a producer refuses a record of neither
            (b"", b"", [("ce_id", b"\xff")]),
        ]
        log.insert(dice.randrange(len(log)), dice.choice(junk))
    before = len(running.whole.judged().reasons)
    producer = running.producer()
    running.send_by(producer, log)
    producer.close()
    assert len(running.assert_exact().reasons) > before


@rounds()
def test_an_event_that_is_too_large_for_the_contract_or_for_the_topic(running: Running, fault_round: int) -> None:
    dice = dice_of("large", fault_round)
    log = running.whole.events(20, dice)
    before = reasons(running.whole.judged()).get("too_large", 0)

    def padded(told: Told, to: int) -> Told:
        key, value, headers = told
        return key, value[:-1] + b',"padding":"' + b"x" * (to - len(value)) + b'"}', headers

    running.whole.send([*log[:10], padded(log[10], MAX_VALUE_BYTES + dice.randint(100, 800_000)), *log[11:]])
    producer = running.producer(max_request_size=1 << 23)
    key, value, headers = padded(log[10], 1 << 21)
    with pytest.raises(MessageSizeTooLargeError):
        producer.send(running.whole.stream.topic, key=key, value=value, headers=list(headers)).get(30)
    producer.close()
    assert reasons(running.assert_exact())["too_large"] == before + 1


def test_a_start_after_all_of_it_says_the_same(running: Running) -> None:
    """The last of this file: what was refused, aborted and repeated is in the way of no recovery."""
    running.worker.kill()
    running.sink.kill()
    running.worker.start()
    running.sink.start()
    running.assert_exact()
