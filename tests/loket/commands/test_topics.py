"""`loket topics apply|check`, as an operator calls it."""

import os
import subprocess
import sys
import uuid
from collections.abc import Mapping

import pytest

from loket.embedded import EmbeddedBroker
from support.kafka import KafkaBroker

# The command line, with less patience for a broker that does not answer.
QUICK = (
    "import sys, loket.broker.connection as c; c._BOOTSTRAP_MS = 1_000; c._KNOCKS = 2; c._KNOCK_S = 0.1; "
    "from loket.cli import main; main(sys.argv[1:])"
)


def loket(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    inherited: Mapping[str, str] = {key: value for key, value in os.environ.items() if not key.startswith("LOKET_")}
    return subprocess.run(
        [sys.executable, "-c", QUICK, *arguments],
        env={**inherited, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def names() -> dict[str, str]:
    name = uuid.uuid4().hex[:8]
    return {"LOKET_TOPIC": f"events-{name}", "LOKET_APP_ID": f"worker-{name}", "LOKET_TOPICS_PARTITIONS": "3"}


def test_check_apply_apply_check(embedded: EmbeddedBroker, names: dict[str, str]) -> None:
    events, changelog = names["LOKET_TOPIC"], f"{names['LOKET_APP_ID']}-units-changelog"
    settings = names | {"LOKET_BOOTSTRAP": embedded.bootstrap}

    before = loket("topics", "check", **settings)
    assert before.returncode == 1
    assert before.stderr.splitlines() == [
        f"{name} does not exist: create it with `loket topics apply`" for name in (events, changelog)
    ]
    created = loket("topics", "apply", **settings)
    assert (created.returncode, created.stderr) == (0, "")
    assert created.stdout.splitlines() == [f"created {name} with 3 partitions" for name in (events, changelog)]

    again = loket("topics", "apply", **settings)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines() == [f"{name} exists and is as it must be" for name in (events, changelog)]

    after = loket("topics", "check", "--bootstrap", embedded.bootstrap, **names)
    assert (after.returncode, after.stderr) == (0, "")
    assert after.stdout.splitlines() == [f"{name} is as it must be" for name in (events, changelog)]

    other = loket("topics", "apply", "--partitions", "4", **settings)
    assert other.returncode == 1
    assert f"{events} has 3 partitions, expected 4" in other.stderr
    assert "LOKET_PARTITIONS" in other.stderr


def test_another_timestamp_type_is_told_with_why(kafka: KafkaBroker, names: dict[str, str]) -> None:
    kafka.create_topic(names["LOKET_TOPIC"], 3, message_timestamp_type="CreateTime")
    applied = loket("topics", "apply", "--bootstrap", kafka.bootstrap, **names)
    assert applied.returncode == 1
    assert "message.timestamp.type=CreateTime, expected LogAppendTime" in applied.stderr
    assert f"created {names['LOKET_APP_ID']}-units-changelog" in applied.stdout


@pytest.mark.parametrize("action", ["apply", "check"])
def test_a_broker_that_is_away_is_told_in_one_line(action: str) -> None:
    away = loket("topics", action, "--bootstrap", "127.0.0.1:9")
    assert away.returncode == 1
    assert len(away.stderr.splitlines()) == 1
    assert "no Kafka broker answers at 127.0.0.1:9" in away.stderr
    assert away.stdout == ""


def test_security_that_the_broker_does_not_speak_is_told_in_one_line(kafka: KafkaBroker) -> None:
    refused = loket("topics", "check", "--bootstrap", kafka.bootstrap, LOKET_SECURITY_PROTOCOL="SSL")
    assert refused.returncode == 1
    assert "LOKET_SECURITY_PROTOCOL" in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr


def test_a_certificate_that_is_not_there_is_told(kafka: KafkaBroker) -> None:
    refused = loket(
        "topics",
        "check",
        "--bootstrap",
        kafka.bootstrap,
        LOKET_SECURITY_PROTOCOL="SSL",
        LOKET_SSL_CAFILE="/nowhere/ca.pem",
    )
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("settings", "word"), [({"LOKET_PARTITIONS": "0"}, "LOKET_PARTITIONS"), ({"LOKET_X": "1"}, "LOKET_X")]
)
def test_a_wrong_setting_is_a_wrong_call(settings: dict[str, str], word: str) -> None:
    wrong = loket("topics", "check", **settings)
    assert wrong.returncode == 2
    assert word in wrong.stderr
