"""A database that is not there, and one that takes connections and says nothing."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from loket.cli import main
from loket_consumers import engines
from loket_consumers.engines import connect, reading, writing
from loket_consumers.errors import DatabaseAway

READING = (
    ["report", "--unit", "clinic"],
    ["record", "figures"],
    ["db", "check"],
    ["dead-letters", "list"],
    ["rebuild", "--check"],
)


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_who_reads_makes_no_empty_database(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOKET_DATABASE", f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert f"there is no file {tmp_path / 'none.db'}" in said
    assert "LOKET_DATABASE" in said
    assert "loket db upgrade" in said
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_takes_connections_and_says_nothing_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "CONNECT_TIMEOUT_S", 2)  # libpq knows no shorter one
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = connect(f"postgresql+psycopg://loket@127.0.0.1:{silent.getsockname()[1]}/loket")
        with pytest.raises(DatabaseAway, match="timeout"), reading(engine):
            pass


def test_a_server_that_falls_silent_is_away_and_is_asked_again(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "SILENCE_S", 1)
    engine = connect(database, statement_timeout_s=1)
    frozen: list[int] = []

    def freeze(ask: Callable[[Engine], AbstractContextManager[Connection]]) -> None:
        with ask(engine) as connection:
            frozen.append(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
            os.kill(frozen[-1], signal.SIGSTOP)
            connection.execute(text("SELECT 1"))

    try:
        for ask in (writing, reading):
            with pytest.raises(DatabaseAway, match="it has answered nothing for 2 s"):
                freeze(ask)
        with reading(engine) as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() not in frozen
    finally:
        for process in frozen:
            os.kill(process, signal.SIGCONT)
        engine.dispose()


def test_a_statement_that_takes_its_time_is_no_silence(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "SILENCE_S", 1)
    engine = connect(database, statement_timeout_s=30)
    with reading(engine) as connection:
        assert connection.execute(text("SELECT 1 FROM pg_sleep(1.5)")).scalar_one() == 1
    engine.dispose()
