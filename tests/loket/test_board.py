"""The board tells the present of each unit from one scrape."""

from rich.console import Console

from loket.board import Line, Person, board_of, render
from loket.domain.policy import MINUTE, Names, ServicePolicy, Target, UnitPolicy
from loket.domain.unit import UnitState, apply
from loket.testing.builders import Office
from support.exported import page_of

office = Office("office")

POLICY = UnitPolicy(
    names=Names("Kantor", "Office"),
    services={
        "card": ServicePolicy(Names("Kartu", "Card"), (Target(1, 5 * MINUTE, 0.8),)),
        "[birth]": ServicePolicy(),
    },
    known=True,
)


def _state() -> UnitState:
    state = UnitState("office", POLICY)
    for event in (
        office.issued("A1", at="09:00", service="card"),
        office.called("A1", at="09:04", employee="ani"),
        office.started("A1", at="09:04", employee="ani"),
        office.completed("A1", at="09:06", employee="ani"),
        office.issued("A2", at="09:01", service="card"),
        office.issued("A3", at="09:05", service="card"),
    ):
        apply(state, event, int(event.time))
    return state


def test_the_board_tells_who_waits_for_how_long_and_what_was_kept() -> None:
    board = board_of(page_of([_state()], int(office.at("09:08:30"))))
    card = Line(
        unit="office",
        service="card",
        waiting=2,
        over_target=1,
        oldest_wait_s=450.0,
        level=0.5,
        answered=1,
        served=1,
    )
    whole, *services = board.lines
    assert whole == Line("office", "", 2, 1, 450.0, 0.5, 1, 1)
    assert services == [Line("office", "[birth]", 0, None, None, None, 0, 0), card]
    assert board.people == [Person("office", "ani", 1, 1, 0, 120.0)]
    assert board.lag == 0
    assert board.now_ms == office.at("09:08:30")


def test_names_are_shown_where_there_are_any_and_no_id_is_taken_for_markup() -> None:
    board = board_of(page_of([_state()], int(office.at("09:08:30"))))
    console = Console(width=80, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(render(board, people=True))
    told = captured.get()
    for expected in ("Office", "Card", "[birth]", "7:30", "50.0 %", "ani", "2:00"):
        assert expected in told
    assert max(map(len, told.splitlines())) <= 80


def test_where_nobody_waits_and_nothing_is_promised_there_is_a_dash_and_never_a_hundred_per_cent() -> None:
    board = board_of(page_of([UnitState("office", POLICY)], int(office.at("09:00"))))
    assert [(line.oldest_wait_s, line.level) for line in board.lines] == [(None, None)] * 3
    with (console := Console(width=80)).capture() as captured:
        console.print(render(board))
    assert "–" in captured.get()
    assert "100" not in captured.get()
