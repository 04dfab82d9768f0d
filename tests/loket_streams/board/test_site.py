"""The board over HTTP: who sees what, who may take an alert, and that nobody can fill the worker."""

import http.client
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from loket.cli import main
from loket.domain.unit import UnitState
from loket.serving import PortTaken
from loket.settings import SettingsError, WorkerSettings, load
from loket.testing.builders import Office, unit_policy
from loket_streams.board import BoardServer, feeds, looks, server, web
from loket_streams.board.alerts import MAX_ANSWER
from loket_streams.board.told import CallTold, Data, UnitTold
from loket_streams.worker import Worker
from support.alert_receiver import AlertReceiver, alert
from support.exported import StandingClock, worker_of
from support.process import wait_until
from support.telling import Told

TOKEN = "a-token-of-the-tests-0123"
o = Office()
NOON = int(o.at("11:00"))

Answer = tuple[int, Mapping[str, str], bytes]


class Board:
    """A board on free ports, and what a browser asks of it."""

    def __init__(self, worker: Worker, server: BoardServer) -> None:
        self.worker = worker
        self.server = server
        self.staff, self.public = server.urls

    def get(self, path: str, base: str = "", method: str = "GET", **headers: str) -> Answer:
        return self._ask(method, base or self.staff, path, None, headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask("POST", self.staff, path, content, headers)

    def take(self, id: str = "a1", token: str | None = TOKEN, **body: Any) -> tuple[int, Any]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        told = {"unit": "u", "by": "Ratna", "note": "loket 4", **body}
        status, _, content = self.post(f"/api/alerts/{quote(id, safe='')}/acknowledgement", told, **headers)
        return status, json.loads(content)

    def told(self, path: str = "/api/unit?unit=u", base: str = "") -> Any:
        status, _, body = self.get(path, base)
        assert status == 200, body
        return json.loads(body)

    @contextmanager
    def events(self, path: str = "/api/unit/events?unit=u", base: str = "") -> Iterator[Callable[[], tuple[str, Any]]]:
        """Read server-sent events: each call gives the next one's name and data."""
        address = urlsplit(base or self.staff)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        with closing(connection):
            connection.request("GET", path)
            with closing(connection.getresponse()) as answer:
                assert answer.status == 200
                assert answer.headers["Content-Type"] == "text/event-stream"
                yield lambda: _next_event(answer)

    def _ask(self, method: str, base: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        address = urlsplit(base)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read()
        finally:
            connection.close()


def _next_event(answer: http.client.HTTPResponse) -> tuple[str, Any]:
    name, data = "message", ""
    while line := answer.readline():
        text = line.decode().rstrip("\n")
        if text.startswith("event: "):
            name = text.removeprefix("event: ")
        elif text.startswith("data: "):
            data = text.removeprefix("data: ")
        elif not text and data:
            return name, json.loads(data)
    raise EOFError


@pytest.fixture
def make() -> Iterator[Callable[..., Board]]:
    with ExitStack() as stack:

        def make(**settings: Any) -> Board:
            office = Told(unit_policy({"s": 300}))
            office.tell(o.issued("A1", at="10:00"), o.called("A1", at="10:02", counter="3", employee="sari"))
            office.tell(o.issued("A2", at="10:58"))
            worker = worker_of([office.state], NOON, answered=NOON)
            given = WorkerSettings(board_port=0, board_public_port=0, **settings)
            board = BoardServer(given, worker, worker.clock)
            board.start()
            stack.callback(board.stop)
            return Board(worker, board)

        yield make


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    with AlertReceiver(TOKEN, [alert("a1", "u"), alert("a2", "elsewhere")]).serving() as receiver:
        yield receiver


# What is served to whom


def test_staff_have_all_pages_and_the_public_the_halls_alone(make: Callable[..., Board]) -> None:
    board = make()
    for path in ("/", "/unit?unit=u", "/hall?unit=u", "/static/board.css", "/static/unit.js", "/api/overview"):
        assert board.get(path)[0] == 200, path
    for path in ("/", "/hall?unit=u", "/static/hall.js", "/static/hall.css", "/api/hall?unit=u"):
        assert board.get(path, board.public)[0] == 200, path
    assert board.get("/", board.public)[2] == board.get("/hall")[2]
    for path in ("/unit?unit=u", "/api/unit?unit=u", "/api/unit/events?unit=u", "/api/overview", "/metrics"):
        assert board.get(path, board.public)[0] == 404, path
    assert board.get("/api/alerts/a1/acknowledgement", board.public, "POST")[0] == 404


def test_nothing_that_the_public_gets_names_an_employee_or_an_alert(
    make: Callable[..., Board], receiver: AlertReceiver
) -> None:
    board = make(board_alerts_url=receiver.url, board_token=TOKEN)
    assert board.told()["alerts"]["shown"]
    text = board.get("/api/hall?unit=u", board.public)[2].decode()
    told = json.loads(text)
    assert set(told) == {"unit", "name", "data", "hours", "zone", "waiting", "services", "calls"}
    assert (told["waiting"], told["calls"][0]["number"], told["calls"][0]["counter"]) == (1, "A1", "3")
    assert "sari" not in text
    assert "LoketOverTarget" not in text


def test_every_answer_forbids_foreign_scripts_and_guessing(make: Callable[..., Board]) -> None:
    board = make()
    for path in ("/", "/unit?unit=u", "/static/unit.js", "/api/unit?unit=u", "/nothing", "/api/unit?unit=%3Cb%3E"):
        headers = board.get(path)[1]
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy, path
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "aiohttp" not in headers["Server"]
    assert "frame-ancestors *" in board.get("/hall?unit=u")[1]["Content-Security-Policy"]


def test_pages_hold_no_script_or_style_of_their_own_and_nothing_from_elsewhere(make: Callable[..., Board]) -> None:
    board = make()
    for path in ("/", "/unit", "/hall"):
        page = board.get(path)[2].decode()
        assert "<style" not in page
        assert "style=" not in page
        assert "<script>" not in page
        assert "http" not in page
        assert "onclick" not in page
    for name in ("unit.js", "hall.js", "overview.js", "shown.js", "live.js", "dom.js", "words.js"):
        script = board.get(f"/static/{name}")[2].decode()
        assert "innerHTML" not in script
        assert "document.write" not in script
        assert "https://" not in script


@pytest.mark.parametrize("unit", ["", "<b>", "a b", "x" * 129, "a\nb"])
def test_a_unit_that_cannot_be_is_refused(make: Callable[..., Board], unit: str) -> None:
    board = make()
    for path in ("/api/unit", "/api/unit/events", "/api/hall", "/api/hall/events"):
        status, _, body = board.get(f"{path}?unit={quote(unit)}")
        assert (status, json.loads(body)) == (400, {"error": "unit"})


def test_a_unit_is_found_whatever_its_id_may_hold(make: Callable[..., Board]) -> None:
    board = make()
    for unit in ("a/b", "..", "../u", "a:b", "-"):
        assert board.told(f"/api/unit?unit={quote(unit, safe='')}")["data"]["state"] == "unknown"


# Server-sent events


def test_a_page_gets_what_there_is_at_once_and_then_what_is_new(make: Callable[..., Board]) -> None:
    board = make()
    with board.events() as read:
        name, told = read()
        assert (name, told["queue"]["waiting"]) == ("message", 1)
        assert read() == ("beat", NOON)
        state = board.worker.partitions.assigned[0].units["u"]
        with board.worker.partitions.lock:
            office = Told(state.policy)
            office.state = state
            office.tell(o.issued("A3", at="10:59"))
        found = (told for name, told in iter(read, None) if name == "message")
        assert next(told for told in found if told["queue"]["waiting"] == 2)


def test_events_have_no_head(make: Callable[..., Board]) -> None:
    assert make().get("/api/unit/events?unit=u", method="HEAD")[0] == 405


def test_where_nothing_changes_a_sign_of_life_comes(
    make: Callable[..., Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "BEAT_S", 0.2)
    with make().events() as read:
        assert {read()[0] for _ in range(6)} == {"message", "beat"}


def test_more_pages_than_there_is_room_for_are_told_so_and_a_place_is_free_again(
    make: Callable[..., Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MAX_READERS", 2)
    monkeypatch.setattr(feeds, "BEAT_S", 0.2)
    board = make()
    with board.events("/api/overview/events"):
        with board.events("/api/hall/events?unit=u", board.public):
            status, headers, body = board.get("/api/unit/events?unit=u")
            assert (status, json.loads(body)["error"], headers["Retry-After"]) == (503, "full", "15")
            assert board.told()["queue"]["waiting"] == 1
        wait_until(lambda: _has_room(board), 60, "the place to be free")


def _has_room(board: Board) -> bool:
    try:
        with board.events() as read:
            return read()[0] == "message"
    except (AssertionError, EOFError):
        return False


def test_who_does_not_read_is_given_up(make: Callable[..., Board], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "SEND_S", 0.5)
    monkeypatch.setattr(feeds, "BEAT_S", 0.01)
    monkeypatch.setattr(feeds, "INTERVAL_S", 0.05)
    monkeypatch.setattr(feeds, "MAX_READERS", 1)
    monkeypatch.setattr(feeds, "_ENCODER", _Long())
    board = make()
    address = urlsplit(board.staff)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        slow.connect((address.hostname, address.port))
        slow.sendall(b"GET /api/unit/events?unit=u HTTP/1.1\r\nHost: u\r\n\r\n")
        time.sleep(0.2)
        wait_until(lambda: _has_room(board), 60, "the slow reader to be given up")


class _Long:
    """Frames of half a megabyte."""

    def encode(self, told: Any) -> bytes:
        return json.dumps({"long": "x" * 500_000}).encode()


def test_connections_are_bounded(make: Callable[..., Board], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    board = make()
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(board.events())
        assert board.get("/")[0] == 503
        assert board.get("/", board.public)[0] == 200
    wait_until(lambda: board.get("/")[0] == 200, 60, "room for the next")


def test_a_connection_on_which_nothing_is_asked_is_closed(
    make: Callable[..., Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.2)
    address = urlsplit(make().staff)
    with socket.create_connection((address.hostname, address.port), timeout=60) as silent:
        assert silent.recv(1) == b""


def test_nothing_is_made_while_nobody_looks(make: Callable[..., Board], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    tell = looks._tell_unit

    def telling(state: UnitState, data: Data, calls: tuple[CallTold, ...]) -> UnitTold:
        made.append(state.unit)
        return tell(state, data, calls)

    monkeypatch.setattr(feeds, "INTERVAL_S", 0.01)
    monkeypatch.setattr(looks, "_tell_unit", telling)
    board = make()
    with board.events() as read:
        read()
        wait_until(lambda: len(made) > 3, 60, "it to be made again and again")
    wait_until(lambda: _is_quiet(made), 60, "nothing to be made")


def _is_quiet(made: list[str]) -> bool:
    before = len(made)
    time.sleep(0.5)
    return len(made) == before


# Taking an alert


def test_who_has_the_token_takes_an_alert_and_all_see_it(make: Callable[..., Board], receiver: AlertReceiver) -> None:
    board = make(board_alerts_url=receiver.url, board_token=TOKEN)
    (shown,) = board.told()["alerts"]["shown"]
    assert (shown["id"], shown["taken"], shown["severity"]) == ("a1", None, "warning")
    assert len(shown["steps"]["id"]) == len(shown["steps"]["en"]) == 3
    assert board.take() == (201, {})
    assert receiver.told == [{"id": "a1", "by": "Ratna", "note": "loket 4"}]
    (shown,) = board.told()["alerts"]["shown"]
    assert (shown["taken"]["by"], shown["taken"]["note"]) == ("Ratna", "loket 4")
    assert board.take(by="Budi") == (409, {"error": "taken", "by": "Ratna"})


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", TOKEN[:-1], "é" * 16])
def test_without_the_token_nothing_is_taken(
    make: Callable[..., Board], receiver: AlertReceiver, token: str | None
) -> None:
    board = make(board_alerts_url=receiver.url, board_token=TOKEN)
    assert board.take(token=token) == (401, {"error": "token"})
    assert receiver.told == []


def test_a_board_without_a_token_is_for_reading(make: Callable[..., Board], receiver: AlertReceiver) -> None:
    board = make(board_alerts_url=receiver.url)
    assert board.told()["can_take"] is False
    assert board.told()["alerts"]["shown"]
    assert board.take() == (403, {"error": "read_only"})


def test_without_a_receiver_the_page_works_and_says_so(make: Callable[..., Board]) -> None:
    board = make(board_token=TOKEN)
    told = board.told()
    assert (told["alerts"]["state"], told["can_take"], told["queue"]["waiting"]) == ("none", False, 1)
    assert board.take() == (503, {"error": "no_receiver"})


@pytest.mark.parametrize(
    "body",
    [
        {"by": ""},
        {"by": "   "},
        {"by": "x" * 81},
        {"note": "x" * 501},
        {"by": 3},
        {"unit": "<b>"},
        {"more": 1},
    ],
)
def test_a_body_that_cannot_be_is_refused(
    make: Callable[..., Board], receiver: AlertReceiver, body: dict[str, Any]
) -> None:
    board = make(board_alerts_url=receiver.url, board_token=TOKEN)
    assert board.take(**body) == (422, {"error": "body"})
    assert receiver.told == []


def test_bytes_that_are_no_body_and_one_that_is_too_long_are_refused(
    make: Callable[..., Board], receiver: AlertReceiver
) -> None:
    board = make(board_alerts_url=receiver.url, board_token=TOKEN)
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert board.post("/api/alerts/a1/acknowledgement", b"\xff{", **right)[0] == 422
    assert board.post("/api/alerts/a1/acknowledgement", b"x" * 100_000, **right)[0] == 413
    assert receiver.told == []


def test_an_alert_that_nobody_knows_is_unknown(make: Callable[..., Board], receiver: AlertReceiver) -> None:
    board = make(board_alerts_url=receiver.url, board_token=TOKEN)
    for unknown in ("a9", "../../a1", "a/b", "x" * 200):
        assert board.take(unknown) == (404, {"error": "unknown"}), unknown


def test_a_receiver_with_another_token_is_not_the_fault_of_who_pressed(
    make: Callable[..., Board], receiver: AlertReceiver
) -> None:
    receiver.token = "another token"
    board = make(board_alerts_url=receiver.url, board_token=TOKEN)
    assert board.take() == (502, {"error": "receiver_token"})


def test_a_receiver_that_is_away_or_answers_nonsense_is_said(make: Callable[..., Board]) -> None:
    with AlertReceiver(TOKEN, [alert("a1", "u")]).serving() as receiver:
        url = receiver.url
        for nonsense in (b"{", b'{"a": 1}', b'[{"id": []}]', b"[" + b" " * MAX_ANSWER + b"]"):
            receiver.answer = nonsense
            assert make(board_alerts_url=url, board_token=TOKEN).told()["alerts"]["state"] == "unreadable", nonsense[:9]
    board = make(board_alerts_url=url, board_token=TOKEN)
    assert board.told()["alerts"] == {"state": "away", "shown": [], "left_out": 0}
    assert board.take() == (502, {"error": "away"})
    assert board.told()["queue"]["waiting"] == 1


def test_only_links_of_the_web_are_links_and_texts_are_cut(make: Callable[..., Board], receiver: AlertReceiver) -> None:
    receiver.alerts = [
        alert(
            f"a{number}", "u", runbook_url="javascript:alert(1)", summary={"id": "x" * 5_000, "en": "<b>"}, ended=ended
        )
        for number, ended in enumerate([*["2026-01-15T02:00:00Z"] * 20, None])
    ]
    told = make(board_alerts_url=receiver.url).told()["alerts"]
    assert (len(told["shown"]), told["left_out"], told["shown"][0]["id"]) == (20, 1, "a20")
    assert {shown["runbook_url"] for shown in told["shown"]} == {None}
    assert {len(shown["summary"]["id"]) for shown in told["shown"]} == {600}


def test_the_token_is_in_no_log_and_no_answer(
    make: Callable[..., Board], receiver: AlertReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    board = make(board_alerts_url=receiver.url, board_token=TOKEN)
    for token in (TOKEN, "wrong-token-of-somebody"):
        board.take(token=token)
        board.get("/nothing", Authorization=f"Bearer {token}")
        assert token not in caplog.text
    assert TOKEN not in repr(WorkerSettings(board_token=TOKEN))
    assert TOKEN.encode() not in board.get("/api/unit?unit=u")[2]


# Where it is served


def test_a_port_that_is_taken_is_named_with_its_setting(make: Callable[..., Board]) -> None:
    board = make()
    port = urlsplit(board.staff).port
    worker = worker_of([], NOON)
    with pytest.raises(PortTaken, match=rf"127\.0\.0\.1:{port} .*set LOKET_BOARD_PORT"):
        BoardServer(WorkerSettings(board_port=port), worker, StandingClock(NOON))
    with pytest.raises(PortTaken, match="set LOKET_BOARD_PUBLIC_PORT"):
        BoardServer(WorkerSettings(board_public_port=port), worker, StandingClock(NOON))


def test_without_a_port_there_is_no_board() -> None:
    board = BoardServer(WorkerSettings(), worker_of([], NOON), StandingClock(NOON))
    board.start()
    assert board.urls == []
    board.stop()


def test_loket_board_says_where_the_pages_are(
    make: Callable[..., Board], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    board = make()
    with pytest.raises(SystemExit, match="0"):
        main(["board", "--url", board.staff])
    assert f"{board.staff}/hall?unit=u" in capsys.readouterr().out
    monkeypatch.setenv("LOKET_BOARD_PORT", str(urlsplit(board.staff).port))
    monkeypatch.setenv("LOKET_BOARD_PUBLIC_PORT", str(urlsplit(board.public).port))
    with pytest.raises(SystemExit, match="0"):
        main(["board"])
    told = capsys.readouterr().out
    assert f"{board.staff}/unit?unit=u" in told
    assert f"{board.public}/hall?unit=u" in told


def test_loket_board_says_that_there_is_none(make: Callable[..., Board], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["board"])
    assert "set LOKET_BOARD_PORT" in capsys.readouterr().err
    for url in ("http://127.0.0.1:1", make().public, "nowhere"):
        with pytest.raises(SystemExit, match="1"):
            main(["board", "--url", url])
        assert "no board there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LOKET_BOARD_TOKEN", "short"),
        ("LOKET_BOARD_TOKEN", "with a space in the middle"),
        ("LOKET_BOARD_ALERTS_URL", "127.0.0.1:9103"),
        ("LOKET_BOARD_ALERTS_URL", "file:///etc/passwd"),
        ("LOKET_BOARD_ALERTS_URL", "http://user:password@host"),
        ("LOKET_BOARD_PORT", "70000"),
    ],
)
def test_a_setting_that_cannot_be_is_named_and_a_token_is_not_repeated(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable) as refused:
        load(WorkerSettings, {variable: value})
    assert ("TOKEN" in variable) == (value not in str(refused.value))
