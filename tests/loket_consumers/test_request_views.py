"""What SQL says of requests and answers at the moment of the query, and what the rows of the record say of them."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET
from sqlalchemy import Engine, text

from loket.domain.events import Event
from loket.domain.policy import DAY, HOUR, Policy, Produces, ServicePolicy, Turnaround, UnitPolicy
from loket.domain.request_summary import OF_THE_RECORD, request_rows
from loket.testing.builders import Office
from loket_consumers.engines import reading, writing
from loket_consumers.rebuilding.rebuild import rebuild
from support.dying_rebuild import MEANING, Quiet
from support.oracle import Oracle
from support.recorded import figures, store_all

CARDS = ServicePolicy(produces=Produces.REQUEST, turnarounds=(Turnaround(1, HOUR, 0.9),))
PAPERS = ServicePolicy(produces=Produces.REQUEST)
POLICY = Policy(units={"u": UnitPolicy(services={"ktp": CARDS, "kk": PAPERS}, known=True)})


def told(engine: Engine, *log: Event) -> Oracle:
    """The log in the record, and in a state."""
    arrived = [(event, int(event.time)) for event in log]
    store_all(engine, arrived, [], POLICY)
    oracle = Oracle(POLICY)
    oracle.apply_all(arrived)
    return oracle


def test_requests_now_says_where_each_stands(engine: Engine) -> None:
    o = Office()
    told(
        engine,
        o.request_submitted("R1", at="08:00"),
        o.request_completed("R1", at="08:30", outcome="handed_over"),
        o.request_submitted("R2", at="08:00"),
        o.request_suspended("R2", at="08:30"),
        o.request_submitted("R3", at="08:00", service="kk"),
        o.request_submitted("R4", at="08:00"),
        o.request_cancelled("R4", at="08:10"),
        o.request_submitted("R5", at="08:00"),
        o.request_cancelled("R5", at="10:00"),
    )
    query = text("SELECT subject, status, judged, breached, age_ms FROM requests_now ORDER BY subject")
    with reading(engine) as connection:
        rows = {row.subject: tuple(row)[1:] for row in connection.execute(query)}
    assert rows["R1"] == ("completed", 1, 0, HOUR // 2)
    assert rows["R2"][:3] == ("suspended", 1, 1)
    assert rows["R3"][:3] == ("open", 0, 0)
    assert rows["R4"] == ("cancelled", 0, 0, HOUR // 6)
    assert rows["R5"] == ("cancelled", 1, 1, 2 * HOUR)


@pytest.mark.parametrize(
    ("scores", "index", "band"),
    [
        ([1], 25.0, "D"),
        ([2, 3, 3], 66.67, "C"),
        ([3] * 234 + [4] * 15, 76.51, "C"),
        ([4] * 8 + [3] * 115, 76.63, "B"),
        ([4, 3, 4, 3], 87.5, "B"),
        ([4] * 15 + [3] * 13, 88.39, "A"),
        ([4], 100.0, "A"),
    ],
)
def test_satisfaction_has_the_index_of_the_skm_and_its_band(
    engine: Engine, scores: list[int], index: float, band: str
) -> None:
    o = Office()
    told(engine, *(o.feedback(score, at="09:00", service="ktp") for score in scores))
    with reading(engine) as connection:
        (row,) = connection.execute(text("SELECT * FROM satisfaction")).all()
    assert (row.unit, row.service, row.month) == ("u", "ktp", "2026-01")
    assert (row.score_1, row.score_2, row.score_3, row.score_4) == tuple(map(scores.count, (1, 2, 3, 4)))
    assert float(row.skm_index) == pytest.approx(index)
    assert row.band == band


def test_the_rows_of_the_record_are_those_of_the_state_with_medians_and_quarters_beside(engine: Engine) -> None:
    o = Office()
    oracle = told(
        engine,
        o.request_submitted("R1", at="08:00"),
        o.request_accepted("R1", at="08:10", employee="sari"),
        o.request_completed("R1", at="08:30"),
        o.request_submitted("R2", at="08:00"),
        o.request_completed("R2", at="10:00"),
        o.request_reopened("R2", at="+1 10:00"),
        o.request_submitted("R3", at="+80 08:00"),
        o.request_worked("R3", at="+80 09:00"),
        o.request_completed("R3", at="+80 11:00"),
        o.request_submitted("R4", at="+80 08:00", service="kk"),
    )
    now = int(o.at("+80 12:00"))
    state = oracle.units["u"]
    services, *_ = oracle.flats("u", now)
    expected = request_rows("u", services, ["ktp", "kk"], ["ktp"], now)
    found = figures(engine, now, POLICY).requests
    assert [row.service for row in found] == ["kk", "ktp"]
    for mine, theirs in zip(found, expected, strict=True):
        plain = {name: value for name, value in msgspec.to_builtins(mine).items() if name not in OF_THE_RECORD}
        assert plain == msgspec.to_builtins(theirs)
    kk, ktp = found
    assert kk.judged is UNSET
    assert (ktp.submitted, ktp.open, ktp.completed, ktp.judged, ktp.breached) == (3, 1, 2, 3, 2)
    assert (ktp.citizen_median_s, ktp.citizen_p90_s) == (1800, 10_800)
    # Of three, one is open for 80 days: 1 of 3 are done after half an hour, 2 of 3 after three hours.
    assert ktp.km_citizen_median_s == 10_800
    assert (ktp.legal_median_s, ktp.task_median_s, ktp.task_p90_s) == (1200, 0, 1200)
    assert ktp.first_time_right == pytest.approx(2 / 3)
    assert ktp.first_time_right_provisional == 1
    assert ktp.quarters is not UNSET
    assert [(quarter.quarter, quarter.submitted) for quarter in ktp.quarters] == [("2026-Q1", 2), ("2026-Q2", 1)]
    assert state.received == int(o.at("+80 11:00"))
    assert now > DAY


def test_a_rebuild_makes_the_same_requests_and_mends_what_was_damaged(engine: Engine) -> None:
    o = Office()
    late = int(o.at("+90 08:00"))
    log: list[Event] = [
        o.request_submitted("R1", at="08:00"),
        o.request_completed("R1", at="08:30", outcome="handed_over"),
        o.request_submitted("R2", at="08:00", service="kk"),
        o.feedback(4, at="09:00", service="ktp"),
        o.request_submitted("R3", at=late),
        o.request_reopened("R1", at=late + HOUR),
    ]
    told(engine, *log)
    meaning = msgspec.structs.replace(MEANING, policy=POLICY)
    whole = rebuild(engine, meaning, Quiet())
    assert [table.table for table in whole.tables if not table.same] == []
    with writing(engine) as connection:
        connection.execute(text("UPDATE requests SET citizen_ms = 1 WHERE subject = 'R1'"))
        connection.execute(text("DELETE FROM feedback"))
    mended = rebuild(engine, meaning, Quiet())
    assert {table.table for table in mended.tables if not table.same} == {"requests", "feedback"}
    assert mended.digest == whole.digest
