"""The text format: what is written is what prometheus-client writes, whatever the labels hold."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from loket.catalogue import Kind, Metric
from loket.exposition import Page, bound, labels
from loket.scrape import read

GAUGE = Metric("loket_test", Kind.GAUGE, "Of a test.", ("unit", "source"))
INSTANT = Metric("loket_test_timestamp_seconds", Kind.GAUGE, "An instant.", parts=1_000)
TOTAL = Metric("loket_test_total", Kind.COUNTER, "Of a test.", ("unit",))

# A lone surrogate is no text that UTF-8 knows; \r and other line ends are none to the text format.
values = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ['"', "\\", "\n", '\\"', "\\n", "\\\n", 'a"} 1\nloket_test{unit="b', "\r", "\u2028", "\x85", "{}", "é", "𝄞", " "]
)


@given(values, values, st.integers(-(2**53), 2**53))
def test_any_label_value_is_read_back_as_it_was(unit: str, source: str, amount: int) -> None:
    page = Page([GAUGE])
    page.add(GAUGE, labels(unit=unit, source=source), amount)
    (sample,) = read(page.render().decode())
    assert (sample.name, sample.labels, sample.value) == ("loket_test", {"unit": unit, "source": source}, amount)


class _Same(Collector):
    def __init__(self, samples: list[tuple[str, float]]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Family]:
        family = Family(GAUGE.name, GAUGE.help, "gauge")
        for unit, amount in self._samples:
            family.add_sample(GAUGE.name, {"unit": unit}, amount)
        yield family


@given(st.lists(st.tuples(values, st.integers(0, 10**15) | st.floats(allow_nan=False, allow_infinity=False))))
def test_prometheus_client_writes_the_same(samples: list[tuple[str, float]]) -> None:
    page = Page([GAUGE])
    for unit, amount in samples:
        page.add(GAUGE, labels(unit=unit), amount)
    theirs = CollectorRegistry(auto_describe=False)
    theirs.register(_Same(samples))
    assert read(page.render().decode()) == read(generate_latest(theirs).decode())
    assert page.series() == len(samples)


@given(st.integers(0, 2**42))
def test_an_instant_is_exact_to_the_millisecond(ms: int) -> None:
    page = Page([INSTANT])
    page.add(INSTANT, "", ms)
    (sample,) = read(page.render().decode())
    assert round(sample.value * 1_000) == ms


def test_samples_stand_under_their_metric_in_the_order_of_the_page() -> None:
    page = Page([TOTAL, GAUGE])
    page.add(GAUGE, labels(unit="a", source="s"), 1)
    page.add(TOTAL, labels(unit="a"), 2)
    page.add(GAUGE, labels(unit="b", source="s"), 3)
    assert page.render().decode() == (
        "# HELP loket_test_total Of a test.\n"
        "# TYPE loket_test_total counter\n"
        'loket_test_total{unit="a"} 2\n'
        "# HELP loket_test Of a test.\n"
        "# TYPE loket_test gauge\n"
        'loket_test{unit="a",source="s"} 1\n'
        'loket_test{unit="b",source="s"} 3\n'
    )


def test_a_metric_that_the_page_does_not_have_is_an_error() -> None:
    with pytest.raises(KeyError):
        Page([GAUGE]).add(TOTAL, "", 1)


def test_a_text_that_utf8_cannot_hold_does_not_take_the_page_down() -> None:
    page = Page([GAUGE])
    page.add(GAUGE, labels(unit="a\ud800b", source=""), 1)
    assert read(page.render().decode())[0].labels["unit"] == "a?b"


def test_bounds_are_written_as_prometheus_writes_them() -> None:
    assert [bound(ms) for ms in (5_000, 600_000, 7_200_000, 500)] == ["5.0", "600.0", "7200.0", "0.5"]
