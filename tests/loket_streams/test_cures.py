"""Each cure against a fault of Faust, on a real Kafka: with it all is well, and without it the fault is there."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from support.process import ServerFailed, wait_until
from support.streams import Stream, StreamWorker, visits

MakeStream = Callable[..., Stream]


def without(*cures: str) -> list[str]:
    return [argument for cure in cures for argument in ("--without", cure)]


@pytest.mark.parametrize("cures_left_out", [(), ("recovery-guard",)])
def test_recovery_guard(make_stream: MakeStream, cures_left_out: tuple[str, ...]) -> None:
    """Faust throws away what is fetched while recovery ends (596): nothing may be fetched then."""
    stream = make_stream()
    worker = stream.worker("--slow-seek", *without(*cures_left_out))
    worker.start(ready=True)
    sender = threading.Thread(target=stream.send, args=(visits(3_000, 40),), kwargs={"per_s": 2_000})
    sender.start()
    wait_until(lambda: worker.state().get("written", 0) > 0, 90, "a checkpoint, so that there is something to recover")
    worker.kill()
    worker.start(ready=True)
    sender.join()
    delivered = worker.state()["delivered_while_recovery_ended"]
    assert (delivered > 0) == bool(cures_left_out)


def test_commits_are_held_back_to_what_is_durable(make_stream: MakeStream) -> None:
    """Faust commits what was acknowledged; the units that contain it may not be written yet."""
    stream = make_stream()
    worker = stream.worker(*without("held-commits"), LOKET_CHECKPOINT_INTERVAL_S="60")
    worker.start(ready=True)
    stream.send(visits(400, 20))
    stream.settled(worker)
    wait_until(lambda: stream.committed() == stream.ends(), 90, "Faust to commit", every_s=0.5)
    worker.kill()
    worker.start()
    assert stream.settled(worker) != stream.expected()


def test_what_is_not_durable_is_not_committed_and_read_again(make_stream: MakeStream) -> None:
    stream = make_stream()
    worker = stream.worker(LOKET_CHECKPOINT_INTERVAL_S="60")
    worker.start(ready=True)
    stream.send(visits(400, 20))
    stream.settled(worker)
    time.sleep(3)  # Faust commits every second
    assert not any(stream.committed().values())
    worker.kill()
    worker.start()
    assert stream.settled(worker) == stream.expected()


def test_an_exception_of_the_agent_ends_the_process(make_stream: MakeStream) -> None:
    """Faust acknowledges the event and starts the agent again; here nothing is committed, and a new start has all."""
    stream = make_stream(partitions=1)
    stream.send(visits(400, 20))
    worker = stream.worker("--break-at", "700")
    worker.start()
    assert worker.wait(120) == 1
    assert "no memory left" in worker.process.output()
    mended = stream.worker()
    mended.start()
    assert stream.settled(mended) == stream.expected()


def test_without_it_the_events_of_the_exception_are_lost(make_stream: MakeStream) -> None:
    stream = make_stream(partitions=1)
    stream.send(visits(400, 20))
    worker = stream.worker("--break-at", "700", *without("failing-agent", "gap-check"))
    worker.start()
    wait_until(lambda: "it is broken now" in worker.process.output(), 90, "the exception", every_s=0.5)
    stream.send(visits(10, 20, first=400))
    assert stream.settled(worker) != stream.expected()


def test_a_hole_is_never_applied(make_stream: MakeStream) -> None:
    """What is lost between Kafka and the agent, however it may be, shows as an offset that is missing."""
    stream = make_stream(partitions=1)
    stream.send(visits(400, 20))
    worker = stream.worker("--break-at", "700", *without("failing-agent"))
    worker.start()
    wait_until(lambda: "it is broken now" in worker.process.output(), 90, "the exception", every_s=0.5)
    stream.send(visits(10, 20, first=400))
    time.sleep(1)
    before = worker.state().get("partitions", {}).get("0", {}).get("next")
    assert before is None or before <= 700


def paused_past_its_session(stream: Stream, *without: str) -> bool:
    """Pause a worker with changes that are not written until another has gone past them, let it write, kill both.

    Whether a worker that starts then has all events once.
    """
    arguments = [argument for cure in without for argument in ("--without", cure)]
    away = stream.worker(*arguments, LOKET_CHECKPOINT_INTERVAL_S="120")
    present = stream.worker(*arguments)
    away.start(ready=True)
    present.start(ready=True)
    sender = threading.Thread(target=stream.send, args=(visits(4_000, 60),), kwargs={"per_s": 2_000})
    sender.start()
    wait_until(lambda: any(told["dirty"] for told in away.state().get("partitions", {}).values()), 90, "changes")
    told = away.state()
    assert told["written"] == 0
    before = told["rebalances"]
    away.process.pause()
    sender.join()
    stream.send(visits(2_000, 60, first=4_000))
    stream.settled(present)
    wait_until(lambda: stream.committed() == stream.ends(), 90, "the last checkpoint, and its commit", every_s=0.5)
    away.process.resume()
    if "membership-check" in without:
        wait_until(lambda: away.state().get("written", 0) > 0, 90, "the old writer to write")
    else:
        wait_until(lambda: away.state().get("rebalances", 0) > before, 90, "the old writer to be taken in again")
        assert away.state()["written"] == 0
    present.kill()
    away.kill()
    after = stream.worker(*arguments)
    after.start()
    return stream.settled(after) == stream.expected()


@pytest.mark.parametrize("cures_left_out", [(), ("membership-check",)], ids=["refused", "written over"])
def test_an_old_writer_takes_nothing_away(make_stream: MakeStream, cures_left_out: tuple[str, ...]) -> None:
    """It asks whether it is a member still and writes nothing. Where it wrote all the same, as it was paused after it
    had asked, the highest offset wins, and what was written over is written again. In rounds: tests/faults."""
    assert paused_past_its_session(make_stream(), *cures_left_out)


def test_without_its_cures_an_old_writer_takes_events_away(make_stream: MakeStream) -> None:
    assert not paused_past_its_session(make_stream(), "highest-offset-wins", "foreign-write-check", "membership-check")


def spoil(stream: Stream) -> None:
    """Write a record that no worker wrote into the changelog of the first partition."""
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=stream.bootstrap)
    producer.send(f"{stream.app_id}-units-changelog", key=b"unit-0", value=b"not a unit", partition=0).get(60)
    producer.close()


def test_an_exception_of_the_store_ends_the_process_with_its_reason(make_stream: MakeStream) -> None:
    stream = make_stream()
    spoil(stream)
    worker = stream.worker()
    worker.start()
    assert worker.wait(120) == 1
    assert "header `offset`" in worker.process.output()
    assert "LOKET_APP_ID" in worker.process.output()


def test_without_it_recovery_waits_for_ever(make_stream: MakeStream) -> None:
    stream = make_stream()
    spoil(stream)
    worker = stream.worker(*without("failing-store"))
    worker.start()
    with pytest.raises(ServerFailed):
        worker.wait(10)
    assert worker.get("/-/ready")[0] == 503


def test_undecodable_bytes_end_nothing(make_stream: MakeStream) -> None:
    """Faust's own decoding would end the agent in silence; here they are counted and the stream goes on."""
    stream = make_stream()
    stream.send(iter([(b"unit-1", b"\xff\x00junk"), (b"\xff\xfe", b"{}"), (b"", b"")]))
    stream.send(visits(20, 5))
    worker = stream.worker()
    worker.start(ready=True)
    assert stream.settled(worker) == stream.expected()
    assert worker.state()["events"]["rejected"] == 3


def test_the_loop_is_uvloop_and_nothing_logs_at_debug(make_stream: MakeStream) -> None:
    worker: StreamWorker = make_stream().worker()
    worker.start()
    state = worker.state()
    assert state["loop"].startswith("uvloop")
    assert state["root_level"] == 20


def test_a_stop_that_hangs_ends_at_its_deadline(make_stream: MakeStream) -> None:
    """Faust's shutdown can hang (324), its event loop with it: what is durable by then is safe."""
    stream = make_stream()
    worker = stream.worker("--hang-in-stop", "2")
    worker.start(ready=True)
    stream.send(visits(50, 5))
    stream.settled(worker)
    worker.process.send(signal.SIGTERM)
    assert worker.wait(120) == 1
    assert "hanging" in worker.process.output()
    assert stream.committed() == stream.ends()


COMMAND = """
import asyncio, logging, sys
from loket_streams import running

def run(*_arguments, **_options):
    policy = type(asyncio.get_event_loop_policy()).__module__
    levels = [logging.getLogger(name).getEffectiveLevel() for name in ("", "faust", "aiokafka", "mode", "kafka")]
    print(policy, min(levels))

running.run = run
from loket.cli import main
sys.argv = ["loket", "worker"]
main()
"""


def test_the_command_puts_uvloop_in_and_logs_nothing_at_debug() -> None:
    """In the product's own command, of which the workers of these tests have only the parts behind it."""
    told = subprocess.run([sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.split() == ["uvloop", "20"]
