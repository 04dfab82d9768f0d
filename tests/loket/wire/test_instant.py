"""Times are RFC 3339 with an offset, and milliseconds are cut."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.wire import instant
from loket.wire.instant import EARLIEST, LATEST, NaiveTimeError, format_instant, parse_instant
from support.events import times


def _ms(text: str) -> int:
    moment = datetime.fromisoformat(text)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-01-31T09:00:00+07:00", "2026-01-31T02:00:00+00:00"),
        ("2026-01-31T09:00:00+0700", "2026-01-31T02:00:00+00:00"),
        ("2026-01-31t02:00:00z", "2026-01-31T02:00:00+00:00"),
        ("2026-01-31T02:00:00Z", "2026-01-31T02:00:00+00:00"),
        ("2026-01-31T02:00:00.5-00:00", "2026-01-31T02:00:00.500+00:00"),
        ("2026-01-31T02:00:00.1239999999Z", "2026-01-31T02:00:00.123+00:00"),
        ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999+00:00"),
        ("2024-02-29T23:30:00-09:30", "2024-03-01T09:00:00+00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999+00:00"),
        ("2017-01-01T06:59:60.75+07:00", "2016-12-31T23:59:59.999+00:00"),
        ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00+00:00"),
        ("2200-12-31T23:59:59.999Z", "2200-12-31T23:59:59.999+00:00"),
    ],
)
def test_a_time_with_an_offset_is_read(text: str, same: str) -> None:
    assert parse_instant(text) == _ms(same)


@pytest.mark.parametrize("text", ["2026-01-31T09:00:00", "2026-01-31 09:00", "2026-01-31", "2026-01-31T09:00:00.123"])
def test_a_time_without_an_offset_is_naive(text: str) -> None:
    with pytest.raises(NaiveTimeError):
        parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1769824800",
        "2026-W05-6T09:00:00+07:00",
        "2026-031T09:00:00Z",
        "20260131T090000Z",
        "2026-01-31T09:00Z",
        "2026-01-31T09:00:00+07",
        "2026-01-31T09:00:00+07:00:30",
        "2026-01-31T09:00:00+24:00",
        "2026-01-31T09:00:00,5Z",
        "2026-01-31T09:00:00.Z",
        "2026-01-31 09:00:00+07:00",
        "2026-02-30T09:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T09:60:00Z",
        "2026-01-31T09:00:60Z",
        "2026-01-31T23:59:61Z",
        "1899-12-31T23:59:59Z",
        "2201-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "٢٠٢٦-01-31T09:00:00Z",
        "2026-01-31T09:00:00Z\n",
        " 2026-01-31T09:00:00Z",
    ],
)
def test_anything_else_is_malformed(text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (which ValueError it is not, is the point)
        parse_instant(text)
    assert not isinstance(caught.value, NaiveTimeError)


@given(st.integers(EARLIEST, LATEST))
def test_an_instant_comes_back(milliseconds: int) -> None:
    assert parse_instant(format_instant(milliseconds)) == milliseconds


@given(times())
def test_every_way_of_writing_is_read_as_python_reads_it(text: str) -> None:
    assert parse_instant(text) == _ms(text.replace("z", "Z"))


@given(st.lists(times() | st.text("0123456789T:.+-Z", max_size=30), min_size=1, max_size=20))
def test_what_was_read_before_changes_nothing(texts: list[str]) -> None:
    # Half a time that is remembered must not make another one valid.
    def fresh(text: str) -> int | None:
        try:
            return instant._read(text)
        except ValueError:
            return None

    def remembered(text: str) -> int | None:
        try:
            return parse_instant(text)
        except ValueError:
            return None

    assert [remembered(text) for text in texts] == [fresh(text) for text in texts]


@pytest.mark.parametrize("junk", ["00.1234x", "00.123٣", "00.123 ", "00.123+", "00.123.", "0 .123", "00.12 "])
def test_remembered_halves_are_not_joined_by_junk(junk: str) -> None:
    assert parse_instant("2026-01-31T09:00:00.123Z")
    with pytest.raises(ValueError, match="RFC 3339"):
        parse_instant(f"2026-01-31T09:00:{junk}Z")


def test_the_memory_of_times_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instant, "_KEPT", 10)
    for minute in range(60):
        parse_instant(f"2001-01-31T09:{minute:02}:{minute:02}.{minute:03}Z")
    assert len(instant._minutes) <= 10
