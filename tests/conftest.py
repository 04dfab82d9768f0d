"""Fixtures that every test may use: the real servers, each started by the first test that asks for it."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

from loket.embedded import EmbeddedBroker, EmbeddedError, find_program
from support import programs, rounds
from support.browser import Browser, chromium
from support.fuzzing import SEEDS
from support.kafka import KafkaBroker
from support.postgres import PostgresServer
from support.prometheus import Prometheus

# How fast an example is depends on what else the machine does; what is measured, the benchmarks measure.
settings.register_profile("loket", deadline=None)
settings.load_profile("loket")

MARKED_BY_FIXTURE = {
    "alertmanager_program": "prometheus",
    "browser": "browser",
    "embedded": "embedded",
    "hurt_kafka": "kafka",
    "hurt_postgres": "postgresql",
    "kafka": "kafka",
    "own_kafka": "kafka",
    "postgres": "postgresql",
    "own_postgres": "postgresql",
    "prometheus_program": "prometheus",
    "promtool": "prometheus",
    "start_prometheus": "prometheus",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark each test by the servers that its fixtures start, so that `-m "not kafka"` leaves none of them out."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in MARKED_BY_FIXTURE:
                item.add_marker(MARKED_BY_FIXTURE[fixture])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the seeds of a process of many (pytest-xdist) to the one that tells them."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["fuzz"] = dict(SEEDS)
        told["drawn"] = sorted(rounds.DRAWN)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take what a process handed over."""
    told = getattr(node, "workeroutput", {})  # one that crashed has none
    SEEDS.update(told.get("fuzz", {}))
    rounds.DRAWN.update(told.get("drawn", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell with which seeds the fuzzing and the faults ran, whether or not it found anything."""
    for name, seed in sorted(SEEDS.items()):
        terminalreporter.write_line(f"fuzz {name}: FUZZ_SEED={seed}")
    if rounds.DRAWN:
        terminalreporter.write_line(f"rounds of faults: FAULT_SEED={rounds.SEED}")


def _need(*programs_needed: Callable[[], Path]) -> None:
    """Skip the test if a program is missing; with CI=true fail, as there a skip would hide that nothing was tested."""
    for find in programs_needed:
        try:
            find()
        except programs.Unavailable as reason:
            if os.environ.get("CI") == "true":
                pytest.fail(str(reason), pytrace=False)
            pytest.skip(f"{reason}; `make servers` tries to install it")


def _embedded_program() -> Path:
    try:
        return find_program()
    except EmbeddedError as reason:
        raise programs.Unavailable(str(reason)) from reason


def _folder(name: str) -> Path:
    # Not under pytest's own folder: that is closed to the other user that PostgreSQL runs as.
    return Path(tempfile.mkdtemp(prefix=f"loket-{name}-"))


def _kafka() -> Iterator[KafkaBroker]:
    _need(programs.java, programs.kafka_libraries)
    broker = KafkaBroker(_folder("kafka"))
    try:
        broker.start()
        yield broker
    finally:
        broker.remove()


def _postgres(*, durable: bool) -> Iterator[PostgresServer]:
    _need(programs.postgresql)
    server = PostgresServer(_folder("postgres"), durable=durable)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaBroker]:
    """The broker that all tests share: use topics and groups of your own, and leave it running."""
    yield from _kafka()


@pytest.fixture
def own_kafka() -> Iterator[KafkaBroker]:
    """A broker for this test alone, to be killed, paused and restarted."""
    yield from _kafka()


@pytest.fixture(scope="module")
def hurt_kafka() -> Iterator[KafkaBroker]:
    """A broker for the tests of one file, each of which may hurt it and leaves it running."""
    yield from _kafka()


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedBroker]:
    """The embedded broker that all tests share: use topics and groups of your own."""
    _need(_embedded_program)
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server that all tests share; take `database` rather than this."""
    yield from _postgres(durable=False)


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server for this test alone, to be killed and restarted."""
    yield from _postgres(durable=True)


@pytest.fixture(scope="module")
def hurt_postgres() -> Iterator[PostgresServer]:
    """A server for the tests of one file, each of which may hurt it and leaves it running."""
    yield from _postgres(durable=False)


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """SQLAlchemy's URL of an empty PostgreSQL database for this test alone."""
    with postgres.database() as url:
        yield url


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The program promtool."""
    _need(programs.promtool)
    return programs.promtool()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser without a window; take a context of your own.

    Not for longer than a file: while Playwright's loop runs, no other may in this thread.
    """
    _need(programs.chromium)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def prometheus_program() -> Path:
    """The program prometheus."""
    _need(programs.prometheus)
    return programs.prometheus()


@pytest.fixture(scope="session")
def alertmanager_program() -> Path:
    """The program alertmanager."""
    _need(programs.alertmanager)
    return programs.alertmanager()


@pytest.fixture
def start_prometheus() -> Iterator[Callable[..., Prometheus]]:
    """Start a Prometheus that scrapes each second: `start_prometheus("127.0.0.1:9123", "127.0.0.1:9124/path")`."""
    _need(programs.prometheus)
    started: list[Prometheus] = []

    def start(*targets: str, rules: Sequence[Path] = (), configuration: str = "") -> Prometheus:
        server = Prometheus(_folder("prometheus"), targets, rules=rules, configuration=configuration)
        started.append(server)
        server.start()
        return server

    try:
        yield start
    finally:
        for server in started:
            server.remove()
