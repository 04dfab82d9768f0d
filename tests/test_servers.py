"""The servers of the tests do what the tests rely on."""

import asyncio
import http.server
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka import KafkaConsumer, KafkaProducer

from support.kafka import KafkaBroker
from support.postgres import PostgresServer
from support.process import Process, ServerFailed, free_port, gone, wait_until
from support.prometheus import Prometheus, check_metrics

CODECS = ("gzip", "snappy", "lz4", "zstd")


def _produce(broker: KafkaBroker, topic: str, values: list[bytes], codec: str | None = None) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, compression_type=codec)
    try:
        for sent in [producer.send(topic, value) for value in values]:
            sent.get(timeout=90)
    finally:
        producer.close()


def _read(broker: KafkaBroker, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", group_id=None)
    values: list[bytes] = []
    try:
        for _ in range(60):
            for records in consumer.poll(timeout_ms=500).values():
                values += [record.value for record in records]
            if len(values) >= count:
                break
    finally:
        consumer.close()
    return values


@pytest.mark.parametrize("codec", CODECS)
def test_what_kafka_python_writes_with_each_codec_aiokafka_and_kafka_python_read(
    kafka: KafkaBroker, codec: str
) -> None:
    topic = kafka.create_topic()
    values = [f"{codec} {number}".encode() * 50 for number in range(20)]

    _produce(kafka, topic, values, codec)

    async def read() -> list[bytes]:
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            return [(await asyncio.wait_for(consumer.getone(), 30)).value for _ in values]
        finally:
            await consumer.stop()

    assert asyncio.run(read()) == values
    assert _read(kafka, topic, len(values)) == values


@pytest.mark.parametrize("codec", CODECS)
def test_what_aiokafka_writes_with_each_codec_kafka_python_reads(kafka: KafkaBroker, codec: str) -> None:
    topic = kafka.create_topic(partitions=1, max_message_bytes=8 << 20)
    values = [f"{codec} {number}".encode() * 50 for number in range(20)]

    async def write() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, compression_type=codec)
        await producer.start()
        try:
            for value in values:
                await producer.send_and_wait(topic, value)
        finally:
            await producer.stop()

    asyncio.run(write())
    assert _read(kafka, topic, len(values)) == values


def test_a_broker_that_was_killed_comes_back_on_its_port_with_its_records(own_kafka: KafkaBroker) -> None:
    topic = own_kafka.create_topic()
    _produce(own_kafka, topic, [b"before"])
    port = own_kafka.port

    own_kafka.kill()
    own_kafka.start()

    _produce(own_kafka, topic, [b"after the kill"])
    own_kafka.restart()
    assert own_kafka.port == port
    assert _read(own_kafka, topic, 2) == [b"before", b"after the kill"]


def test_a_paused_broker_answers_nothing_until_it_goes_on(own_kafka: KafkaBroker) -> None:
    topic = own_kafka.create_topic()
    producer = KafkaProducer(bootstrap_servers=own_kafka.bootstrap)
    try:
        producer.send(topic, b"1").get(timeout=90)
        own_kafka.pause()
        sent = producer.send(topic, b"2")
        assert not sent.is_done
        own_kafka.resume()
        sent.get(timeout=90)
    finally:
        producer.close()
    assert _read(own_kafka, topic, 2) == [b"1", b"2"]


def _connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"))


def test_each_database_is_empty(postgres: PostgresServer) -> None:
    for _ in range(2):
        with postgres.database() as url, _connect(url) as connection:
            connection.execute("CREATE TABLE t (x int)")


def test_a_fixture_gives_a_database(database: str) -> None:
    with _connect(database) as connection:
        assert connection.execute("SHOW timezone").fetchone() == ("UTC",)


@pytest.mark.parametrize("end", [PostgresServer.stop, PostgresServer.kill])
def test_a_database_comes_back_on_its_port_with_its_rows(
    own_postgres: PostgresServer, end: Callable[[PostgresServer], None]
) -> None:
    url = own_postgres.url()
    with _connect(url) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS x")

    end(own_postgres)
    with pytest.raises(psycopg.OperationalError):
        _connect(url)
    own_postgres.start()

    with _connect(url) as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]


PAGE = b"# HELP loket_trials_total Trials.\n# TYPE loket_trials_total counter\nloket_trials_total 42\n"


@pytest.fixture
def page() -> Iterator[str]:
    """HOST:PORT of a page of metrics."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_prometheus_scrapes_and_answers(start_prometheus: Callable[..., Prometheus], page: str) -> None:
    prometheus = start_prometheus(page, f"{page}/metrics/employees")

    prometheus.wait_for("count(loket_trials_total) == 2")

    assert prometheus.value('loket_trials_total{job="loket/metrics"} + 0') == 42
    assert prometheus.value("1 + 1") == 2
    with pytest.raises(ValueError, match="parse error"):
        prometheus.query("(")


def test_promtool_says_nothing_of_a_good_page_and_something_of_a_bad_one(promtool: Path) -> None:
    assert check_metrics(PAGE) == []
    assert check_metrics(PAGE.decode().replace("_total", "")) != []


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    process = Process("false", tmp_path / "log")
    with pytest.raises(ServerFailed, match="status 3\nno such thing"):
        process.run(["sh", "-c", "echo no such thing; exit 3"], ready=lambda: False)


def test_no_server_outlives_a_killed_test_run(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from support.process import Process\n"
        "server = Process('sleep', Path(sys.argv[1]) / 'log')\n"
        "server.run(['sleep', '600'], ready=lambda: True)\n"
        "print(server.pid, flush=True); input()"
    )
    run = subprocess.Popen(
        [
            sys.executable,
            "-c",
            program,
            str(tmp_path),
        ],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert run.stdout is not None
    server = int(run.stdout.readline())
    os.kill(server, 0)

    run.send_signal(signal.SIGKILL)
    run.communicate()

    wait_until(lambda: gone(server), 90, "the server to go")


def test_ports_are_not_taken_from_outgoing_connections() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(free_port() < lowest for _ in range(20))
