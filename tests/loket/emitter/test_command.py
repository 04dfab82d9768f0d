"""`loket emit`, as a shell script or a program in another language uses it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.kafka import KafkaBroker
from support.process import wait_until

GOOD = '{"type":"loket.ticket.issued","id":"%s","subject":"A-1","data":{"unit":"u","service":"s"}}'


def _command(tmp_path: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "loket", "emit", "--outbox", str(tmp_path / "o.db"), *arguments]


def _environment(**more: str) -> dict[str, str]:
    return os.environ | {"LOKET_EMITTER_SOURCE": "dev/1", "COLUMNS": "200"} | more


def _run(tmp_path: Path, *arguments: str, given: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        _command(tmp_path, *arguments),
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env=_environment(**more),
    )


def _status(tmp_path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(_run(tmp_path, "--status", "--json").stdout)
    return found


def test_each_line_is_answered_and_a_bad_one_holds_no_other_up(tmp_path: Path) -> None:
    lines = [
        GOOD % "1",
        "",
        "{",
        GOOD % "2",
        '{"type":"loket.ticket.issued","subject":"3273010101010001"}',
        "x" * 200_000,
    ]
    done = _run(tmp_path, given="\n".join([*lines, GOOD % "3"]))

    assert done.returncode == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(answer["line"], answer.get("id"), answer.get("refused")) for answer in answers] == [
        (1, "1", None),
        (3, None, "not_json"),
        (4, "2", None),
        (5, None, "missing_field"),
        (6, None, "too_large"),
        (7, "3", None),
    ]
    assert "3273010101010001" not in done.stderr
    assert _status(tmp_path)["pending"] == 3


def test_events_may_be_arguments(tmp_path: Path) -> None:
    done = _run(tmp_path, GOOD % "1", GOOD % "2")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    said = _run(tmp_path, "--status").stdout
    assert "2 events wait, the oldest since 20" in said
    assert "in use by nobody" in said


def test_a_full_outbox_ends_it_with_what_to_do(tmp_path: Path) -> None:
    done = _run(tmp_path, given="\n".join(GOOD % number for number in range(5)), LOKET_EMITTER_MAX_EVENTS="3")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 3
    assert "is full, and the event was not taken" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--unit", "u"], "LOKET_EMITTER_COUNTER"),
        (["--key-file", "no-such-file"], "cannot be read"),
        (["--source", ""], "--source"),
    ],
)
def test_what_is_wrong_with_a_call_is_named(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = _run(tmp_path, *arguments, GOOD % "1")
    assert done.returncode == 2
    assert said in done.stderr


def test_there_is_no_status_where_there_is_no_outbox(tmp_path: Path) -> None:
    done = _run(tmp_path, "--status")
    assert done.returncode == 2
    assert "there is no outbox yet" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_events_set_aside_are_moved_out_and_can_be_given_again(tmp_path: Path) -> None:
    from loket.emitter.clockwatch import Reading
    from loket.emitter.outbox import Outbox
    from loket.emitter.store import Limits

    _run(tmp_path, GOOD % "1", GOOD % "2")
    outbox = Outbox(tmp_path / "o.db", Limits(), Reading(1, 1, 1))
    outbox.set_aside(1, "the broker refuses it: MessageSizeTooLarge", 5)
    outbox.close()

    file = tmp_path / "aside.jsonl"
    assert _run(tmp_path, "--aside", str(file)).returncode == 0
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["aside"] == "the broker refuses it: MessageSizeTooLarge"
    assert _run(tmp_path, "--aside", str(file)).stderr.endswith("no event was set aside\n")
    assert _run(tmp_path, given=line).returncode == 0
    assert (_status(tmp_path)["pending"], _status(tmp_path)["set_aside"]) == (2, {})


def test_it_sends_what_it_is_given_and_what_waited_and_ends_in_order(kafka: KafkaBroker, tmp_path: Path) -> None:
    topic = kafka.create_topic(message_timestamp_type="LogAppendTime")
    _run(tmp_path, GOOD % "1")
    arguments = ("--send", "--bootstrap", kafka.bootstrap)
    done = _run(tmp_path, *arguments, "--drain", given=GOOD % "2", LOKET_TOPIC=topic)
    assert (done.returncode, _status(tmp_path)["pending"]) == (0, 0)

    with subprocess.Popen(
        _command(tmp_path, *arguments, "--unit", "u", "--counter", "3"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(LOKET_TOPIC=topic),
    ) as sender:
        assert sender.stdin is not None
        assert sender.stdout is not None
        sender.stdin.write(GOOD % "3" + "\n")
        sender.stdin.flush()
        assert json.loads(sender.stdout.readline()) == {"line": 1, "id": "3"}
        assert _status(tmp_path)["held_by"] == sender.pid
        refused = _run(tmp_path, GOOD % "4")
        assert refused.returncode == 1
        assert f"in use by process {sender.pid}" in refused.stderr
        wait_until(lambda: _status(tmp_path)["pending"] == 0, 120, "the event to be sent", every_s=0.3)
        sender.send_signal(signal.SIGTERM)
        _, said = sender.communicate(timeout=120)
    assert "stopped; 0 events wait" in said, said
    assert sender.returncode == 0
