"""Workers of the tests: their logs of events, the state that the domain alone computes from them, and the processes."""

import hashlib
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from loket.broker import EventProducer, apply_topics, changelog_topic, events_topic
from loket.domain.policy import Policy
from loket.domain.records import head_bytes, page_bytes
from loket.domain.unit import UnitState, apply
from loket.settings import Connection
from loket.wire.cloudevents import Decoder, Foreign
from loket.wire.rejection import Rejected
from support.process import Process, ServerFailed, free_port, wait_until

__all__ = ["Stream", "StreamWorker", "as_told", "oracle", "read_all", "visits"]

TESTS = Path(__file__).parents[1]


def as_told(state: UnitState) -> dict[str, Any]:
    """A unit's state so that two that mean the same are equal: the order of tickets in a dictionary means nothing."""
    head = msgspec.msgpack.decode(head_bytes(state))
    for name in ("open", "pages"):
        head[name] = sorted(head.get(name, ()), key=repr)
    pages = {
        str(page): sorted(msgspec.msgpack.decode(page_bytes(state, page)), key=repr) for page in sorted(state.pages)
    }
    told = json.dumps([_sorted(head), _sorted(pages)])
    issued = sum(tally.counts.total.get("tickets_issued", 0) for tally in state.tallies.values())
    return {"offset": state.offset, "issued": issued, "digest": hashlib.sha256(told.encode()).hexdigest()[:16]}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return [[str(key), _sorted(inner)] for key, inner in sorted(value.items(), key=lambda item: str(item[0]))]
    if isinstance(value, list):
        return [_sorted(inner) for inner in value]
    return str(value)


def visits(number: int, units: int, *, first: int = 0, time_ms: int | None = None) -> Iterator[tuple[bytes, bytes]]:
    """Events of `number` visits over so many units, as key and value: issued, called, started and completed."""
    at_ms = int(time.time() * 1000) if time_ms is None else time_ms
    for visit in range(first, first + number):
        unit = f"unit-{visit % units}"
        for step, (kind, data) in enumerate(
            (
                ("ticket.issued", {"service": f"s{visit % 3}"}),
                ("ticket.called", {"counter": "1", "employee": f"e{visit % 5}"}),
                ("service.started", {"counter": "1", "employee": f"e{visit % 5}"}),
                ("service.completed", {"counter": "1", "employee": f"e{visit % 5}"}),
            )
        ):
            moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms // 1000 + step))
            event = {
                "specversion": "1.0",
                "id": f"{visit}-{step}",
                "source": f"kiosk-{visit % 4}",
                "type": f"loket.{kind}",
                "time": f"{moment}.{at_ms % 1000:03d}Z",
                "subject": f"A{visit}",
                "data": {"unit": unit, **data},
            }
            yield unit.encode(), json.dumps(event).encode()


def read_all(bootstrap: str, topic: str, partitions: int) -> dict[int, list[Any]]:
    """All records of a topic by partition, aborted ones left out."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    try:
        named = [TopicPartition(topic, number) for number in range(partitions)]
        ends = consumer.end_offsets(named)
        consumer.assign(named)
        consumer.seek_to_beginning(*named)
        found: dict[int, list[Any]] = {number: [] for number in range(partitions)}
        deadline = time.monotonic() + 120
        while any(consumer.position(tp) < ends[tp] for tp in named):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{topic} could not be read to its end")
            for tp, records in consumer.poll(timeout_ms=500).items():
                found[tp.partition].extend(records)
        return found
    finally:
        consumer.close()


def oracle(records: Mapping[int, Sequence[Any]], policy: Policy | None = None) -> dict[str, dict[str, Any]]:
    """The units that a log makes, by the domain alone: every record once, in the order of its partition."""
    policy = policy or Policy()
    decoder = Decoder(len(records))
    units: dict[str, UnitState] = {}
    for partition in records.values():
        for record in partition:
            try:
                event = decoder.decode(record)
            except Rejected:
                continue
            if isinstance(event, Foreign):
                continue
            unit = event.data.unit
            state = units.setdefault(unit, UnitState(unit, policy.unit(unit)))
            apply(state, event, record.timestamp)
            state.offset = record.offset
    return {unit: as_told(state) for unit, state in units.items()}


class StreamWorker:
    """A worker as a process of its own."""

    def __init__(self, folder: Path, name: str, environment: Mapping[str, str], arguments: Sequence[str] = ()) -> None:
        self.port = free_port()
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("LOKET_")},
            **environment,
            "LOKET_METRICS_PORT": str(self.port),
            "PYTHONPATH": str(TESTS),
            "PYTHONFAULTHANDLER": "1",
        }
        self._arguments = list(arguments)
        self.process = Process(name, folder / f"{name}.log")

    def start(self, *, ready: bool = False) -> None:
        """Start it and return when it serves, or when it is ready."""
        self.process.run(
            [sys.executable, "-m", "support.stream_worker", *self._arguments],
            ready=lambda: (not ready and self.get("/-/healthy")[0] == 200) or self.get("/-/ready")[0] == 200,
            environment=self._environment,
            timeout_s=120,
        )

    def dies(self, meanwhile: Callable[[], object] = lambda: None, timeout_s: float = 120) -> int:
        """Start it, though it may end before it serves; give it more to do until it ends, and return how it did."""
        with suppress(ServerFailed):
            self.start()
        end = time.monotonic() + timeout_s
        while self.process.running and time.monotonic() < end:
            meanwhile()
            time.sleep(0.5)
        return self.wait(1)

    def get(self, path: str) -> tuple[int, str]:
        """Return status and text of a page, 0 where nothing serves."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def state(self) -> dict[str, Any]:
        """What it knows; empty where it does not serve."""
        status, told = self.get("/state")
        return json.loads(told) if status == 200 else {}

    def kill(self) -> None:
        self.process.kill()

    def stop(self) -> str:
        """SIGTERM; return what it wrote."""
        self.process.stop(signal.SIGTERM, 60)
        return self.process.output()

    def wait(self, timeout_s: float) -> int:
        """Wait for it to end by itself; return its exit status."""
        wait_until(lambda: not self.process.running, timeout_s, f"{self.process.name} to end")
        popen = self.process._popen
        return popen.returncode if popen is not None else -1


class Stream:
    """Topics and a group of their own on a broker, and the workers that read them."""

    def __init__(self, bootstrap: str, folder: Path, *, partitions: int = 4, session_s: float = 6) -> None:
        self.bootstrap = bootstrap
        self.partitions = partitions
        self.app_id = f"app-{uuid.uuid4().hex[:8]}"
        self.topic = f"events-{uuid.uuid4().hex[:8]}"
        self.connection = Connection(bootstrap=bootstrap)
        self._folder = folder
        self._session_s = session_s
        self._workers: list[StreamWorker] = []

    def create_topics(self, *, partitions: int | None = None) -> None:
        partitions = partitions or self.partitions
        applied = apply_topics(
            self.connection, [events_topic(self.topic, partitions), changelog_topic(self.app_id, partitions)]
        )
        assert not applied.differences

    def worker(self, *arguments: str, **settings: str) -> StreamWorker:
        environment = {
            "LOKET_BOOTSTRAP": self.bootstrap,
            "LOKET_TOPIC": self.topic,
            "LOKET_APP_ID": self.app_id,
            "LOKET_SESSION_TIMEOUT_S": str(self._session_s),
            "LOKET_CHECKPOINT_INTERVAL_S": "1",
            **settings,
        }
        worker = StreamWorker(self._folder, f"worker-{len(self._workers)}", environment, arguments)
        self._workers.append(worker)
        return worker

    def send(self, events: Iterator[tuple[bytes, bytes]], *, per_s: float = 0) -> int:
        """Send events, at a rate if one is given; return how many."""
        number = 0
        began = time.monotonic()
        with EventProducer(self.connection, self.topic) as producer:
            for key, value in events:
                producer.send(key, value)
                number += 1
                if per_s and number % 50 == 0:
                    time.sleep(max(0, began + number / per_s - time.monotonic()))
        return number

    def expected(self) -> dict[str, dict[str, Any]]:
        return oracle(read_all(self.bootstrap, self.topic, self.partitions))

    def settled(self, *workers: StreamWorker, timeout_s: float = 120) -> dict[str, dict[str, Any]]:
        """Wait until the workers have every partition between them, read to its end; return their units.

        All of one look: between two a partition may move, or a worker be too busy to answer.
        """
        ends = self.ends()
        found: list[tuple[str, Any]] = []

        def is_settled() -> bool:
            found[:] = [item for worker in workers for item in worker.state().get("partitions", {}).items()]
            return sorted(int(number) for number, _ in found) == list(range(self.partitions)) and all(
                partition["ready"] and partition["next"] >= ends[int(number)] for number, partition in found
            )

        wait_until(is_settled, timeout_s, "the workers to read to the end", every_s=0.2)
        return {unit: state for _, partition in found for unit, state in partition["units"].items()}

    def ends(self) -> dict[int, int]:
        """The end of each partition, as those see it who read what is committed."""
        from kafka import KafkaConsumer, TopicPartition

        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed")
        try:
            named = [TopicPartition(self.topic, number) for number in range(self.partitions)]
            return {tp.partition: end for tp, end in consumer.end_offsets(named).items()}
        finally:
            consumer.close()

    def committed(self) -> dict[int, int]:
        """What the group has committed of each partition."""
        from kafka import KafkaConsumer, TopicPartition

        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.app_id, enable_auto_commit=False)
        try:
            return {
                number: consumer.committed(TopicPartition(self.topic, number)) or 0 for number in range(self.partitions)
            }
        finally:
            consumer.close()

    @contextmanager
    def closing(self) -> Iterator["Stream"]:
        try:
            yield self
        finally:
            for worker in self._workers:
                worker.kill()
