"""A port in use is found out before a process fails on it."""

import socket

import pytest

from loket.companions import ports


def test_the_wanted_port_is_taken_where_it_is_free() -> None:
    found = ports.free_port()
    assert ports.free_port(found) == found


def test_another_one_is_found_where_it_is_not() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.free_port(port) != port


def test_a_machine_without_a_free_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: False)
    with pytest.raises(ports.NoFreePort, match="end what uses them"):
        ports.free_port()
