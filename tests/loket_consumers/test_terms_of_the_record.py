"""A sink that starts refuses targets that were changed of days whose events are stored (rule 10)."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text

from loket.clock import SYSTEM_CLOCK
from loket.domain.days import service_days
from loket.domain.policy import HOUR, MINUTE, Policy, ServicePolicy, Target, UnitPolicy
from loket.settings import SinkSettings
from loket_consumers.engines import writing
from loket_consumers.errors import TargetsChanged
from loket_consumers.running import run
from loket_consumers.terms import check_terms
from support.logs import DAY_BEGINS, make
from support.process import free_port
from support.recorded import store_all

TODAY = service_days(UnitPolicy()).day(DAY_BEGINS)
TARGET = Target(1, 30 * MINUTE, 0.8)
OFFICE = UnitPolicy(services={"general": ServicePolicy(targets=(TARGET,))}, known=True)
STRANGER = make("ticket.issued", "2", DAY_BEGINS + 6 * HOUR, "A1", "stranger", service="general")
ISSUED = make("ticket.issued", "1", DAY_BEGINS + 6 * HOUR, "A1", "office", service="general")


def promising(*targets: Target) -> UnitPolicy:
    return replace(OFFICE, services={"general": ServicePolicy(targets=targets)})


def test_what_changes_the_past_is_refused_by_name_and_what_is_to_come_is_taken(engine: Engine) -> None:
    arrived = [(event, int(event.time)) for event in (ISSUED, STRANGER)]
    store_all(engine, arrived, policy=Policy(units={"office": OFFICE}))
    for taken in (OFFICE, promising(TARGET, replace(TARGET, valid_from=TODAY + 1, within_ms=1))):
        check_terms(engine, Policy(units={"office": taken, "stranger": replace(OFFICE, zone="Asia/Jayapura")}))
    for changed, names in (
        (promising(replace(TARGET, within_ms=1)), "services.general"),
        (promising(TARGET, replace(TARGET, valid_from=TODAY, within_ms=1)), "services.general"),
        (replace(OFFICE, zone="Asia/Makassar"), "zone"),
        (replace(OFFICE, short_ms=1), "short_seconds"),
    ):
        with pytest.raises(TargetsChanged, match=rf"units\.office: {names}\. Put back .*`loket rebuild`"):
            check_terms(engine, Policy(units={"office": changed}))


def test_a_later_day_is_held_from_its_first_event_on_and_what_an_older_version_stored_is_not(engine: Engine) -> None:
    from_tomorrow = promising(TARGET, replace(TARGET, valid_from=TODAY + 1, within_ms=1))
    next_day = make("ticket.issued", "3", DAY_BEGINS + 30 * HOUR, "A2", "office", service="general")
    arrived = [(event, int(event.time)) for event in (ISSUED, next_day)]
    store_all(engine, arrived, [1], policy=Policy(units={"office": from_tomorrow}))
    with pytest.raises(TargetsChanged, match=r"services\.general"):
        check_terms(engine, Policy(units={"office": OFFICE}))
    with writing(engine) as connection:
        connection.execute(text("UPDATE units SET terms = NULL"))
    check_terms(engine, Policy(units={"office": OFFICE}))


def test_a_sink_asks_before_it_reads_anything(engine: Engine, tmp_path: Path) -> None:
    store_all(engine, [(ISSUED, int(ISSUED.time))], policy=Policy(units={"office": OFFICE}))
    targets = tmp_path / "targets.yaml"
    targets.write_text("units: {office: {name: {id: Kantor, en: Office}, services: {}}}", encoding="utf-8")
    settings = SinkSettings(
        bootstrap=f"127.0.0.1:{free_port()}",
        database=engine.url.render_as_string(hide_password=False),
        targets=str(targets),
    )
    with pytest.raises(TargetsChanged, match=r"units\.office: "):
        run(settings, SYSTEM_CLOCK)
