"""A wrong key or value fails at once and says which; a right one comes from where it should."""

from pathlib import Path
from typing import Any

import pytest

from loket.documents import DocumentError
from loket.domain.events import Instant
from loket.errors import UsageError
from loket.settings import Connection, Settings, SettingsError, SinkSettings, TopicsSettings, WorkerSettings, load


def refused(kind: type[Settings], environment: dict[str, str], **more: Any) -> str:
    with pytest.raises(UsageError) as caught:
        load(kind, environment, **more)
    assert caught.value.exit_status == 2
    return str(caught.value)


def file(folder: Path, content: str) -> Path:
    path = folder / "loket.yaml"
    path.write_text(content, encoding="utf-8")
    return path


def test_nothing_given_is_the_documented_defaults() -> None:
    worker = load(WorkerSettings, {})
    assert (worker.bootstrap, worker.topic, worker.clock, worker.app_id) == (
        "127.0.0.1:9092",
        "loket.events",
        "service",
        "loket-worker",
    )
    assert (worker.metrics_host, worker.metrics_port, worker.checkpoint_interval_s) == ("127.0.0.1", 9101, 5)
    sink = load(SinkSettings, {})
    assert (sink.database, sink.group_id, sink.metrics_port) == ("sqlite:///loket.db", "loket-sink", 9102)
    assert load(TopicsSettings, {}).retention_days >= 7


def test_each_source_overrules_the_one_before(tmp_path: Path) -> None:
    path = file(tmp_path, "metrics_port: 1\nworker:\n  metrics_port: 2\n")
    environment: dict[str, str] = {}
    options: dict[str, object] = {}

    def port() -> int:
        return load(WorkerSettings, environment, config=path, options=options).metrics_port

    assert load(SinkSettings, environment, config=path).metrics_port == 1
    assert port() == 2
    environment["LOKET_METRICS_PORT"] = "3"
    assert port() == 3
    environment["LOKET_WORKER_METRICS_PORT"] = "4"
    assert port() == 4
    options["metrics_port"] = 5
    assert port() == 5
    options["metrics_port"] = None
    assert port() == 4
    assert load(SinkSettings, environment, config=path).metrics_port == 3


def test_the_file_may_be_named_in_the_environment(tmp_path: Path) -> None:
    path = file(tmp_path, "bootstrap: kafka-1:9092,kafka-2:9092\nsink: {database: 'sqlite:///x.db'}\n")
    found = load(SinkSettings, {"LOKET_CONFIG": str(path)})
    assert (found.bootstrap, found.database) == ("kafka-1:9092,kafka-2:9092", "sqlite:///x.db")


def test_a_file_of_all_components_serves_each(tmp_path: Path) -> None:
    path = file(tmp_path, "database: 'sqlite:///x.db'\npartitions: 4\napp_id: a\ngroup_id: g\nsink:\nworker: {}\n")
    assert load(WorkerSettings, {}, config=path).app_id == "a"
    assert load(SinkSettings, {}, config=path).group_id == "g"
    assert load(TopicsSettings, {}, config=path).partitions == 4


def test_a_key_that_does_not_exist_is_named_with_the_closest() -> None:
    message = refused(WorkerSettings, {"LOKET_BOOTSTRP": "x:1"})
    assert "LOKET_BOOTSTRP" in message
    assert "LOKET_BOOTSTRAP" in message
    message = refused(WorkerSettings, {"LOKET_WORKER_METRICS_PROT": "1"})
    assert "LOKET_WORKER_METRICS_PROT" in message
    assert "LOKET_DATABASE" in refused(WorkerSettings, {"LOKET_QQQQQQQQ": "1"})


def test_the_key_of_another_component_is_no_fault() -> None:
    environment = {"LOKET_DATABASE": "sqlite:///x.db", "LOKET_SINK_GROUP_ID": "g", "OTHER": "x"}
    assert load(WorkerSettings, environment) == load(WorkerSettings, {})


def test_what_only_our_tests_read_is_no_setting() -> None:
    assert load(WorkerSettings, {"LOKET_DATA": "/x", "LOKET_TEST_CACHE": "/x"}) == load(WorkerSettings, {})


@pytest.mark.parametrize(
    ("kind", "variable", "value", "expected"),
    [
        (WorkerSettings, "LOKET_METRICS_PORT", "http", "a port number"),
        (WorkerSettings, "LOKET_METRICS_PORT", "70000", "a port number"),
        (WorkerSettings, "LOKET_BOOTSTRAP", "localhost", "host:port"),
        (WorkerSettings, "LOKET_BOOTSTRAP", "", "host:port"),
        (WorkerSettings, "LOKET_CLOCK", "wall", "one of service, event"),
        (WorkerSettings, "LOKET_NOW", "2026-01-31T09:00:00", "RFC 3339"),
        (WorkerSettings, "LOKET_CHECKPOINT_INTERVAL_S", "0", "seconds"),
        (WorkerSettings, "LOKET_CHECKPOINT_INTERVAL_S", "nan", "seconds"),
        (WorkerSettings, "LOKET_APP_ID", "a b", "A-Z"),
        (WorkerSettings, "LOKET_SSL_CHECK_HOSTNAME", "maybe", "true or false"),
        (WorkerSettings, "LOKET_SECURITY_PROTOCOL", "TLS", "SASL_SSL"),
        (SinkSettings, "LOKET_SINK_DATABASE", "loket.db", "a URL"),
        (TopicsSettings, "LOKET_RETENTION_DAYS", "6", "7 at least"),
        (TopicsSettings, "LOKET_PARTITIONS", "1.5", "a whole number"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_expected(
    kind: type[Settings], variable: str, value: str, expected: str
) -> None:
    message = refused(kind, {variable: value})
    assert message.startswith(variable)
    assert expected in message


def test_a_wrong_option_is_named_as_it_was_typed() -> None:
    assert refused(WorkerSettings, {}, options={"metrics_port": 70_000}).startswith("--metrics-port=70000 is not valid")


def test_an_instant_may_be_given_as_text_or_as_it_is() -> None:
    at = Instant(1_769_824_800_000)
    assert load(WorkerSettings, {"LOKET_NOW": "2026-01-31T09:00:00+07:00"}).now == at
    assert load(WorkerSettings, {}, options={"now": at}).now == at


def test_the_word_null_is_a_word_in_the_environment() -> None:
    assert load(WorkerSettings, {"LOKET_TARGETS": "null"}).targets == "null"


def test_all_faults_of_a_file_are_told_with_their_lines(tmp_path: Path) -> None:
    content = "bootstrp: x:1\nmetrics_port: many\nworker:\n  clok: event\nsink:\n  metrics_port: [1]\n"
    path = file(tmp_path, content)
    with pytest.raises(DocumentError) as caught:
        load(WorkerSettings, {}, config=path)
    assert [(fault.line, fault.path) for fault in caught.value.faults] == [
        (1, "bootstrp"),
        (2, "metrics_port"),
        (4, "worker.clok"),
        (6, "sink.metrics_port"),
    ]
    message = str(caught.value)
    assert "`bootstrap`" in message
    assert "`clock`" in message
    assert "a port number" in message


@pytest.mark.parametrize("content", ["- a\n", "worker: x\n", "bootstrap: [\n", "a: 1\na: 1\n", ""])
def test_a_file_that_holds_no_settings_is_told(tmp_path: Path, content: str) -> None:
    assert "loket.yaml" in refused(WorkerSettings, {}, config=file(tmp_path, content))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "nothing.yaml" in refused(WorkerSettings, {"LOKET_CONFIG": str(tmp_path / "nothing.yaml")})


SECRETS = {
    "LOKET_SASL_PASSWORD": "geheim-1",
    "LOKET_SSL_PASSWORD": "geheim-2",
    "LOKET_DATABASE": "sqlite://u:geheim-3@h/d",
}


def test_secrets_are_in_no_representation() -> None:
    found = load(SinkSettings, SECRETS)
    assert found.sasl_password == "geheim-1"
    for text in (repr(found), str(found), repr(found.connection)):
        assert "geheim" not in text
    assert "sink" in repr(found)


def test_secrets_are_in_no_message(tmp_path: Path) -> None:
    assert "geheim" not in refused(SinkSettings, {"LOKET_DATABASE": "geheim"})
    content = "database: geheim\nssl_password: [geheim]\nsasl_password: {geheim: 1}\n"
    assert "geheim" not in refused(SinkSettings, {}, config=file(tmp_path, content))


def test_security_reaches_the_connection() -> None:
    environment = SECRETS | {
        "LOKET_SECURITY_PROTOCOL": "SASL_SSL",
        "LOKET_SASL_MECHANISM": "SCRAM-SHA-512",
        "LOKET_SASL_USERNAME": "loket",
        "LOKET_SSL_CAFILE": "/etc/ca.pem",
        "LOKET_SSL_CHECK_HOSTNAME": "false",
    }
    assert load(WorkerSettings, environment).connection == Connection(
        bootstrap="127.0.0.1:9092",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="loket",
        sasl_password="geheim-1",
        ssl_cafile="/etc/ca.pem",
        ssl_password="geheim-2",
        ssl_check_hostname=False,
    )


def test_settings_errors_are_usage_errors() -> None:
    assert issubclass(SettingsError, UsageError)
