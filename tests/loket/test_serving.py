"""The small HTTP server of metrics and health."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError

import pytest

from loket.serving import PortTaken, Response, Server, progress_page, text


def broken() -> Response:
    raise RuntimeError("a page that cannot be made")


@pytest.fixture
def server() -> Iterator[Server]:
    routes = {"/metrics": lambda: text(200, "up 1\n"), "/-/ready": lambda: progress_page("ready", []), "/bad": broken}
    made = Server("127.0.0.1", 0, routes, setting="LOKET_METRICS_PORT")
    made.start()
    yield made
    made.stop()


def get(url: str, method: str = "GET") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_pages_are_served_by_their_path_whatever_the_query(server: Server) -> None:
    assert get(f"{server.url}/metrics") == (200, "up 1\n")
    assert get(f"{server.url}/metrics?name=x") == (200, "up 1\n")
    assert get(f"{server.url}/-/ready") == (200, "ready\n")
    assert get(f"{server.url}/metrics", "HEAD") == (200, "")


def test_another_path_names_those_that_there_are(server: Server) -> None:
    assert get(f"{server.url}/") == (404, "/metrics\n/-/ready\n/bad\n")


def test_a_page_that_cannot_be_made_says_so_and_the_others_stay(server: Server) -> None:
    assert get(f"{server.url}/bad") == (500, "this page could not be made: see the log\n")
    assert get(f"{server.url}/metrics")[0] == 200


def test_a_probe_gets_every_reason(server: Server) -> None:
    assert progress_page("ready", []).status == 200
    found = progress_page("ready", ["no partitions", "no database"])
    assert (found.status, found.body) == (503, b"no partitions\nno database\n")


def test_a_port_that_is_taken_is_named_with_its_setting(server: Server) -> None:
    with pytest.raises(PortTaken, match=rf"127\.0\.0\.1:{server.port} .*set LOKET_METRICS_PORT"):
        Server("127.0.0.1", server.port, {}, setting="LOKET_METRICS_PORT")


def test_a_slow_client_does_not_keep_others_out(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"GET /metrics HTTP")
        assert get(f"{server.url}/metrics")[0] == 200
