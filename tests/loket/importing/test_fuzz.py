"""Whatever stands in a mapping, a log or a .jsonl file, its reader says what is wrong, and never falls over it."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from loket.importing.jsonl import lines_of
from loket.importing.mapping import LogError, Mapping, MappingError
from loket.importing.mapping_file import parse_mapping
from loket.importing.reading import events_of
from loket.importing.report import RefusedRowError, Report
from loket.importing.rows import RowReader
from loket.wire.cloudevents import Decoder, encode
from loket.wire.record import WireRecord
from support.events import NOW
from support.fuzz_seeds import DICTIONARY_JSON, DICTIONARY_YAML, LOG, MAPPINGS, structured
from support.fuzzing import LONGEST_S, TEXTS, Campaign, Mutator, seed_of, shown_harmlessly, sizes, took_s

SECRET: Final = b"a secret"
DECODER: Final = Decoder(1, clock="event", now=lambda: NOW)
CELLS: Final = ("", "0:00:00", "09:00:00", "990201", "AGENT", "HANG", "12", "31/01/2026 09:00:00", *TEXTS)


def read_mapping(rng: random.Random) -> Callable[[bytes], str]:
    """Reads a mapping and, where there is nothing wrong with it, two rows of nonsense by it."""

    def read(content: bytes) -> str:
        try:
            mapping = parse_mapping("mapping.yaml", content)
        except MappingError as error:
            refused = error
        else:
            return read_rows(mapping)
        assert shown_harmlessly(str(refused))
        return "refused"

    def read_rows(mapping: Mapping) -> str:
        reader = RowReader(mapping, SECRET)
        for _ in range(2):
            cells = {column: rng.choice(CELLS) for column in mapping.columns}
            try:
                if not reader.left_out(cells):
                    reader.events(cells)
            except RefusedRowError:
                continue
        return "read"

    return read


def read_log(path: Path, mapping: Mapping) -> Callable[[bytes], str]:
    """Reads a log, and has the decoder read each of its events."""

    def read(content: bytes) -> str:
        path.write_bytes(content)
        report = Report()
        try:
            events = list(events_of(mapping, path, report))
        except LogError as error:
            refused = error
        else:
            for event in events:
                encoded = encode(event)
                record = WireRecord("t", 0, 0, NOW, encoded.key, encoded.value, tuple(encoded.headers))
                if event.time < NOW:
                    assert DECODER.decode(record) == event
            return "events" if events else "none"
        assert shown_harmlessly(str(refused))
        return "refused"

    return read


def read_lines(path: Path) -> Callable[[bytes], str]:
    def read(content: bytes) -> str:
        path.write_bytes(content)
        report = Report()
        try:
            lines = list(lines_of(path, report))
        except LogError:
            return "refused"
        assert report.events == len(lines)
        assert report.rows == report.events + report.refused
        assert all(0 < len(key) <= 256 for key, _ in lines)
        return "lines" if lines else "none"

    return read


@pytest.mark.parametrize("inputs", sizes(2_000, 60_000))
@pytest.mark.timeout(3600)
def test_mappings(inputs: int) -> None:
    seed = seed_of("mappings", long=inputs > 10_000)
    rng = random.Random(seed)
    campaign = Campaign(Mutator(MAPPINGS, DICTIONARY_YAML, rng).make, read_mapping(rng), seed)
    campaign.run(inputs)
    assert campaign.results["read"] > inputs / 100


@pytest.mark.parametrize("inputs", sizes(800, 50_000))
@pytest.mark.timeout(3600)
def test_logs(inputs: int, tmp_path: Path) -> None:
    seed = seed_of("logs", long=inputs > 10_000)
    mapping = parse_mapping("mapping.yaml", MAPPINGS[1].replace(_COLUMNS, b""))
    dictionary = [cell.encode() for cell in CELLS if cell] + [
        b";",
        b'"',
        b'""',
        b"\n\n",
        b"\r\n",
        b"\xfe\xff",
        b"PK\3\4",
    ]
    mutator = Mutator([LOG], dictionary, random.Random(seed))
    campaign = Campaign(mutator.make, read_log(tmp_path / "log.csv", mapping), seed)
    campaign.run(inputs)
    assert campaign.results["events"] > inputs / 20


_COLUMNS: Final = b"format: {columns: [kantor, layanan, nomor, tanggal, ambil, panggil, selesai]}\n"


@pytest.mark.parametrize("inputs", sizes(1_500, 60_000))
@pytest.mark.timeout(3600)
def test_lines(inputs: int, tmp_path: Path) -> None:
    seed = seed_of("lines", long=inputs > 10_000)
    events = structured()
    valid = [b"\n".join(events[at : at + 3]) for at in range(0, len(events), 3)]
    mutator = Mutator(valid, DICTIONARY_JSON, random.Random(seed))
    campaign = Campaign(mutator.make, read_lines(tmp_path / "log.jsonl"), seed)
    campaign.run(inputs)
    assert campaign.results["lines"] > inputs / 20


# What was found


@pytest.mark.parametrize(
    "times",
    [
        b"".join(b"  t%d: {first: [t%d]}\n" % (number, number + 1) for number in range(2_000)),
        b"".join(b"  t%d: {first: [x%d]}\n" % (number, number) for number in range(190)),
        b"  t0: {first: &all [%s]}\n" % b",".join(b"t%d" % number for number in range(190))
        + b"".join(b"  t%d: {first: *all}\n" % number for number in range(1, 190)),
        b"  t: {first: [t]}\n" * 300,
    ],
    ids=["a long chain", "unknown", "each refers to each", "the same name"],
)
def test_times_that_refer_to_each_other_take_no_long_time(times: bytes) -> None:
    read = read_mapping(random.Random(1))
    content = MAPPINGS[1].replace(b"times:\n", b"times:\n" + times)
    assert read(content) == "refused"
    assert took_s(lambda: read(content)) < LONGEST_S


def test_the_longest_chain_of_times_is_read_without_exhausting_the_stack() -> None:
    chain = b"".join(b"  t%d: {first: [t%d]}\n" % (number, number + 1) for number in range(196))
    content = MAPPINGS[1].replace(b"times:\n", b"times:\n" + chain + b"  t196: {first: [came]}\n")
    mapping = parse_mapping("mapping.yaml", content.replace(b"time: came", b"time: t0"))
    row = dict.fromkeys(mapping.columns, "x") | {"ambil": "31/01/2026 09:00:00", "panggil": "", "selesai": ""}
    assert len(RowReader(mapping, None).events(row)) == 1


def test_a_row_without_the_service_that_its_event_needs_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_bytes(LOG.replace(b"Kartu Keluarga", b""))
    report = Report()
    mapping = parse_mapping("mapping.yaml", MAPPINGS[1].replace(_COLUMNS, b""))
    assert len(list(events_of(mapping, log, report))) == report.events == 4
    (refused,) = report.refused_rows
    assert (refused.line, refused.column, refused.value) == (2, "layanan", "")
    assert refused.why == "is empty, and the event needs its service"


def test_a_line_that_nothing_can_parse_is_sent_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    line = b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    log.write_bytes(line)
    assert list(lines_of(log, Report())) == [(b"unknown", line)]
