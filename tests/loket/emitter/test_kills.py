"""SIGKILL at random moments: what was answered is there, in order, and nothing is sent twice without reason."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loket.emitter.clockwatch import Reading
from loket.emitter.outbox import Outbox
from loket.emitter.status import read_status
from loket.emitter.store import Limits

NOW = Reading(1_800_000_000_000, 1, 7)

STORING = """
import sys
from loket.emitter import Emitter
emitter = Emitter(sys.argv[1], "dev/1")
number = int(sys.argv[2])
while True:
    emitter.emit({"type": "loket.queue.closed", "id": str(number), "data": {"unit": "u", "pad": "x" * (number % 900)}})
    print(number, flush=True)
    number += 1
"""

# Each wave goes to a file, synced, before it is acknowledged, as a broker's log would hold it.
SENDING = """
import os, sys
from loket.broker.waves import Delivery
from loket.emitter import Emitter

class Log:
    def deliver(self, wave, sent_ms):
        log = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, b"".join(event.value + b"\\n" for event in wave))
        os.write(log, b"acknowledged\\n")
        os.close(log)
        return [Delivery()] * len(wave)
    def close(self): pass

emitter = Emitter(sys.argv[1], "dev/1", connect=Log)
number = int(sys.argv[2])
while True:
    emitter.emit({"type": "loket.queue.closed", "id": str(number), "data": {"unit": "u"}})
    print(number, flush=True)
    number += 1
"""


def _run_and_kill(program: str, seconds: float, *arguments: object) -> int:
    """Run it, kill it after so long from its first answer, and return the last number that it answered."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        rest = process.stdout.read()
    return int((first + rest[: rest.rfind(b"\n") + 1]).split()[-1])


def _ids(path: Path) -> list[int]:
    outbox = Outbox(path, Limits(), NOW)
    found = [int(json.loads(frame.value)["id"]) for frame in outbox.waiting(1_000_000, 1 << 40)]
    outbox.close()
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_kill_while_storing_loses_nothing_that_was_answered(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "o.db"
    number = 0
    for _ in range(4):
        answered = _run_and_kill(STORING, chance.uniform(0, 0.15), path, number)
        found = _ids(path)
        assert found in (list(range(answered + 1)), list(range(answered + 2)))  # one may have been on its way
        number = found[-1] + 1
    assert read_status(path).incidents == ()


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_a_kill_while_sending_repeats_only_what_was_not_marked(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path, log = tmp_path / "o.db", tmp_path / "log"
    number, kills = 0, 4
    for _ in range(kills):
        answered = _run_and_kill(SENDING, chance.uniform(0, 0.15), path, number, log)
        number = max([answered, *_ids(path)]) + 1

    waves = [
        [int(json.loads(line)["id"]) for line in wave.splitlines()] for wave in log.read_text().split("acknowledged\n")
    ]
    sent = [number for wave in waves for number in wave]
    first = list(dict.fromkeys(sent))
    left = _ids(path)
    assert first == sorted(first)
    assert sorted({*first, *left}) == list(range(number))
    repeats = len(sent) - len(first)
    assert repeats <= kills * max(map(len, waves))  # at most the one wave of each kill that was not marked
