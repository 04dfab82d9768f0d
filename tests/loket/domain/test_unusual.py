"""What is unusual is found where somebody cheats, and hardly ever in weeks of halls that are honest."""

import math
from collections.abc import Iterable
from random import Random

import pytest

from loket.domain.durations import MINUTE, SECOND
from loket.domain.unusual import Work, at_two_counters, binomial_tail, bunching, far_too_short

TARGET = 20 * MINUTE
SERVED_MIN = 6.0


def week(random: Random, load: float, desks: int, *, cheats: float = 0.0) -> Iterable[tuple[int, int, int]]:
    """Five days of seven hours of one queue, first come first served. A cheat calls this share of those who are late
    by up to a half just before their target passes."""
    for day in range(5):
        of_today = load * random.uniform(0.85, 1.1)
        at, free = 0.0, [0.0] * desks
        while at < 7 * 60:
            peak = 1.25 if 60 < at < 180 else 0.85
            at += random.expovariate(of_today * peak * desks / SERVED_MIN)
            desk = min(range(desks), key=free.__getitem__)
            called = max(at, free[desk])
            free[desk] = called + random.lognormvariate(math.log(SERVED_MIN) - 0.18, 0.6)
            wait = round((called - at) * MINUTE)
            if TARGET < wait <= 1.5 * TARGET and random.random() < cheats:
                wait = round(random.uniform(0.93, 1.0) * TARGET)
            yield day * 24 + int(called // 60), wait, TARGET


def test_a_tail_of_the_binomial_distribution_by_hand() -> None:
    assert binomial_tail(0, 10, 0.5) == 1
    assert binomial_tail(10, 10, 0.5) == pytest.approx(1 / 1024)
    assert binomial_tail(9, 10, 0.5) == pytest.approx(11 / 1024)
    assert binomial_tail(3, 4, 0.1) == pytest.approx(4 * 0.1**3 * 0.9 + 0.1**4)


def test_calls_that_were_told_before_the_target_are_found() -> None:
    random = Random(7)
    found = [bunching(week(random, 1.05, 6, cheats=0.7)) for _ in range(40)]
    seen = [one for one in found if one is not None]
    assert len(seen) >= 24
    assert all(one.below / (one.below + one.above) > one.expected for one in seen)
    assert all(one.chance <= 0.001 and one.hours >= 10 and one.hours_below > one.hours / 2 for one in seen)


@pytest.mark.parametrize(("load", "desks"), [(0.85, 3), (0.95, 3), (0.95, 6), (1.05, 3), (1.05, 6)])
def test_hardly_a_week_of_an_honest_hall_is_unusual(load: float, desks: int) -> None:
    random = Random(11)
    assert sum(bunching(week(random, load, desks)) is not None for _ in range(60)) == 0


def test_of_a_few_calls_or_hours_nothing_is_said() -> None:
    around = [(0, tenths * TARGET // 100, TARGET) for tenths in (85, 115) for _ in range(200)]
    assert bunching([*around, *((hour, TARGET, TARGET) for hour in range(29))]) is None
    assert bunching([*around, *((hour % 9, TARGET, TARGET) for hour in range(300))]) is None
    told = bunching([*around, *((hour % 10, TARGET, TARGET) for hour in range(300))])
    assert told is not None
    assert (told.below, told.above, told.hours_below, told.hours) == (300, 0, 10, 10)


@pytest.mark.parametrize(
    ("tenths", "below", "above"), [(9, 0, 0), (9.001, 1, 0), (10, 1, 0), (10.001, 0, 1), (11, 0, 1), (11.001, 0, 0)]
)
def test_a_call_at_the_target_is_below_it(tenths: float, below: int, above: int) -> None:
    """The same sides as `loket_waits_near_target_total`."""
    sure = [(hour % 24, TARGET, TARGET) for hour in range(600)]
    told = bunching([*sure, (99, round(tenths * TARGET / 10), TARGET)])
    assert told is not None
    assert (told.below, told.above) == (600 + below, above)


def _times(random: Random, spread: str, services: int) -> list[int]:
    if spread == "exponential":
        return [round(random.expovariate(1 / SERVED_MIN) * MINUTE) for _ in range(services)]
    return [round(random.lognormvariate(math.log(SERVED_MIN), 0.8) * MINUTE) for _ in range(services)]


@pytest.mark.parametrize("spread", ["exponential", "lognormal"])
def test_services_far_too_short_are_found_of_who_makes_them_and_of_nobody_else(spread: str) -> None:
    random = Random(3)
    false = 0
    for _ in range(200):
        honest = {f"e{number}": _times(random, spread, 80) for number in range(6)}
        false += len(far_too_short(honest))
        cheat = [5 * SECOND if random.random() < 0.35 else ms for ms in honest["e0"]]
        assert set(far_too_short({**honest, "e0": cheat})) >= {"e0"}
    assert false <= 2  # of 1,200 people


def test_of_fewer_than_thirty_services_nothing_is_said() -> None:
    usual = [6 * MINUTE] * 100
    assert far_too_short({"e0": [SECOND] * 29, "e1": usual}) == {}
    assert far_too_short({"e0": [SECOND] * 30, "e1": usual})["e0"].short == 30
    assert far_too_short({}) == {}


def _works(employee: str, *told: tuple[str, int, int]) -> list[Work]:
    return [Work(employee, counter, begin * MINUTE, end * MINUTE) for counter, begin, end in told]


def test_one_id_at_two_counters_is_told_from_the_third_time_on() -> None:
    twice = _works("e0", ("1", 0, 10), ("2", 4, 8), ("1", 20, 30), ("2", 29, 33), ("2", 28, 29))
    assert at_two_counters(twice[:4]) == {}  # one of them for no longer than clocks may differ
    found = at_two_counters([*twice, *_works("e0", ("3", 40, 60), ("2", 50, 70), ("1", 55, 58))])
    assert found["e0"].times == 3
    assert found["e0"].overlap_ms == (4 + 10 + 3) * MINUTE
    assert found["e0"].counters == ("1", "2", "3")


def test_two_tickets_at_one_counter_and_two_people_at_two_are_usual() -> None:
    assert at_two_counters(_works("e0", *(("1", 0, 60),) * 9)) == {}
    assert at_two_counters([*_works("e0", *(("1", 0, 60),) * 9), *_works("e1", *(("2", 0, 60),) * 9)]) == {}
    one_after_another = _works("e0", *((str(number % 3), number, number + 1) for number in range(50)))
    assert at_two_counters(one_after_another) == {}
