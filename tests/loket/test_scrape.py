"""Reading metrics back: what answers, what does not, and what is no page of metrics."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loket.scrape import Sample, ScrapeError, Unreachable, Unreadable, read, scrape
from support.process import free_port

PAGE = (
    "# HELP loket_served_total Completions.\n"
    "# TYPE loket_served_total counter\n"
    'loket_served_total{unit="u",service=""} 3\n'
    "# TYPE loket_wait_seconds histogram\n"
    'loket_wait_seconds_bucket{unit="u",le="+Inf"} 2\n'
    'loket_wait_seconds_sum{unit="u"} 1.5\n'
)


ANSWERS = {
    "/metrics": (200, PAGE.encode()),
    "/html": (200, b"<html><body>hello</body></html>\n"),
    "/binary": (200, b"\xff\xfe\x00"),
    "/busy": (503, b"recovering\n"),
}


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_page_is_read_sample_by_sample(address: str) -> None:
    assert scrape(f"{address}/metrics") == [
        Sample("loket_served_total", {"unit": "u", "service": ""}, 3),
        Sample("loket_wait_seconds_bucket", {"unit": "u", "le": "+Inf"}, 2),
        Sample("loket_wait_seconds_sum", {"unit": "u"}, 1.5),
    ]


def test_a_proxy_of_the_environment_is_not_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert len(scrape(f"{address}/metrics")) == 3


@pytest.mark.parametrize(("path", "reason"), [("/html", "invalid metric name"), ("/binary", "not in UTF-8")])
def test_another_page_is_named_as_that(address: str, path: str, reason: str) -> None:
    with pytest.raises(
        Unreadable, match=f"{path}: what answers is not a page of metrics .*{reason}.*; name the address"
    ):
        scrape(address + path)


def test_a_server_that_refuses_is_named_with_its_status(address: str) -> None:
    with pytest.raises(Unreachable, match=r"/busy: no metrics there \(it answers with status 503\); start the worker"):
        scrape(f"{address}/busy")


def test_nobody_there_says_what_to_start() -> None:
    with pytest.raises(Unreachable, match=r"no metrics there \(.*refused\); start the worker or sink"):
        scrape(f"http://127.0.0.1:{free_port()}/metrics")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "127.0.0.1:9101", "http://", "http://127.0.0.1:notaport/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Unreachable, match="no metrics there"):
        scrape(url)


@pytest.mark.parametrize("page", ["x{", "x", 'x{a="b"} many', 'x{a="b} 1', "1x 2", "x 1 2 3 4 y"])
def test_what_is_no_line_of_the_format_is_unreadable(page: str) -> None:
    with pytest.raises(ScrapeError, match="the page"):
        read(page)
