"""Whatever stands in targets.yaml, its reader gives a policy that everything can work with, or says what is wrong."""

import random
from typing import Final

import pytest

from loket.domain.figures import evaluate
from loket.domain.policy import ServiceDays
from loket.domain.unit import UnitState
from loket.targets.reading import ReadTargets, TargetsError, read_targets
from loket.targets.reloading import refusals
from support.events import NOW
from support.fuzz_seeds import DICTIONARY_YAML, TARGETS
from support.fuzzing import LONGEST_S, Campaign, Mutator, seed_of, shown_harmlessly, sizes, took_s

IN_FORCE: Final = read_targets("targets.yaml", TARGETS[0])


def read(content: bytes) -> str:
    try:
        found = read_targets("targets.yaml", content)
    except TargetsError as error:
        refused = error
    else:
        return used(found)
    assert shown_harmlessly(str(refused))
    assert all(fault.line >= 0 and fault.column >= 0 for fault in refused.faults)
    return "refused"


def used(found: ReadTargets) -> str:
    for unit in (*list(found.policy.units.values())[:5], found.policy.defaults):
        assert ServiceDays(unit.zone, unit.day_starts_ms).day(NOW)
        evaluate(UnitState("u", unit), NOW)
        for service in unit.services.values():
            assert list(service.targets) == sorted(service.targets, key=lambda target: target.valid_from)
            assert all(target.within_ms > 0 and 0 < target.objective < 1 for target in service.targets)
    list(refusals(IN_FORCE.policy, found, NOW))
    return "read"


@pytest.mark.parametrize("inputs", sizes(2_500, 60_000))
@pytest.mark.timeout(3600)
def test_targets(inputs: int) -> None:
    seed = seed_of("targets", long=inputs > 10_000)
    mutator = Mutator(TARGETS, DICTIONARY_YAML, random.Random(seed))
    campaign = Campaign(mutator.make, read, seed)
    campaign.run(inputs)
    assert campaign.results["read"] > inputs / 100


# What was found


TARGET: Final = b"{valid_from: 2026-01-01, seconds: 3600, objective: 0.8}"


@pytest.mark.parametrize(
    "content",
    [
        # Each repetition was read again: 4 kB took 4.7 s and a gigabyte.
        b"units:\n  a: &u\n    services:\n      s: {wait: &w ["
        + b",".join([TARGET] * 20)
        + b"]}\n"
        + b"".join(b"      s%d: {wait: *w}\n" % number for number in range(100))
        + b"".join(b"  u%d: *u\n" % number for number in range(100)),
        b"units:\n  a:\n    services:\n      s: {wait: &w ["
        + b",".join([b"x"] * 300)
        + b"]}\n"
        + b"".join(b"      s%d: {wait: *w}\n" % number for number in range(200)),
        # Each was compared with all zones of the world.
        b"units:\n" + b"".join(b"  u%d: {zone: Asia/Jakatra%d}\n" % (number, number) for number in range(100)),
        b"x" * 100_000 + b": 1\n",
    ],
    ids=["targets repeated", "faults repeated", "zones", "a long key"],
)
def test_no_file_takes_long(content: bytes) -> None:
    assert read(content) == "refused"
    assert took_s(lambda: read(content)) < LONGEST_S


def test_what_aliases_repeat_is_the_same_everywhere() -> None:
    policy = read_targets("targets.yaml", TARGETS[0]).policy
    hour = policy.units["pkm-ciputat"].services["poli-umum"].targets
    assert policy.units["pkm-ciputat"].services["kia"].targets == hour
    assert policy.units["ktp"].services == policy.units["mall"].services
    assert policy.units["ktp"].services["card"].targets == hour
    assert policy.units["ktp"].zone != policy.units["mall"].zone
