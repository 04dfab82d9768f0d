"""Reads `mapping.yaml`; what each key means is in docs/import.md."""

from __future__ import annotations

import codecs
from collections.abc import Mapping as Environment
from pathlib import Path
from typing import Final

from loket.documents import DocumentError, Fault, Node, parse_document, read_bytes
from loket.domain.events import Id, Opaque
from loket.importing.mapping import Format, Mapping, MappingError, Subject, Time, TimeValue, Value
from loket.importing.mapping_events import read_events
from loket.importing.mapping_parts import Reading, check_texts, condition_of, date_column_of, fits_ids, value_of
from loket.importing.mapping_times import bound_of, read_times
from loket.targets.zones import zone_of

__all__ = ["parse_mapping", "read_mapping", "secret_of"]

_KEYS: Final = (
    "format",
    "zone",
    "source",
    "secret",
    "from",
    "until",
    "skip",
    "unit",
    "service",
    "employee",
    "counter",
    "subject",
    "date",
    "time_format",
    "times",
    "events",
)
_REQUIRED: Final = ("zone", "source", "unit", "times", "events")
_DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


def read_mapping(path: Path) -> Mapping:
    """Read a mapping; raise MappingError with all of its faults if it has any."""
    try:
        return parse_mapping(str(path), read_bytes(path))
    except MappingError:
        raise
    except DocumentError as error:
        raise MappingError(error.file, error.faults) from error


def secret_of(mapping: Mapping, environment: Environment[str, str]) -> bytes | None:
    """The key of the mapping's hashes, from the variable that it names; MappingError where it is not set."""
    if mapping.secret is None:
        return None
    secret = environment.get(mapping.secret, "")
    if not secret:
        told = f"the variable {mapping.secret} is not set: set it to the same secret at every import"
        raise MappingError(mapping.file, [Fault(0, 0, "secret", told)])
    return secret.encode()


def parse_mapping(file: str, content: bytes) -> Mapping:
    """As `read_mapping`, of bytes that were read already; `file` is the name in the errors."""
    try:
        root = parse_document(file, content)
        mapping = _mapping(root)
    except DocumentError as error:
        raise MappingError(error.file, error.faults) from error
    if mapping is None or root.document.faults:
        raise MappingError(file, root.document.faults)
    return mapping


def _mapping(root: Node) -> Mapping | None:
    found = root.mapping(_KEYS, required=_REQUIRED, what="a mapping")
    reading = Reading(given=frozenset(found))
    if (node := found.get("secret")) is not None:
        reading.secret = node.text("the name of an environment variable")
    if (node := found.get("date")) is not None:
        reading.date = date_column_of(node, reading)
    if (node := found.get("time_format")) is not None:
        reading.time_format = reading.format_of(node)
    written = _format(found.get("format"))
    zone = zone_of(found["zone"]) if "zone" in found else None
    source = found["source"].text("a name for where the events come from", longest=64) if "source" in found else None
    skip = [
        condition
        for item in (found["skip"].sequence("conditions") if "skip" in found else [])
        if (condition := condition_of(item, reading)) is not None
    ]
    common: dict[str, Value] = {}
    for key in ("unit", "service", "employee", "counter"):
        if (node := found.get(key)) is not None and (value := value_of(node, reading)) is not None:
            common[key] = value
            if isinstance(value, TimeValue):
                node.fault("is no instant, but a text")
            check_texts(node, value, Opaque if key == "employee" else Id)
    subject = _subject(found["subject"], reading) if "subject" in found else None
    times: dict[str, Time] = {}
    names: list[str] = []  # of those that are wrong too, which have faults of their own
    if (node := found.get("times")) is not None:
        times = read_times(node, reading)
        names = [key.value for key in node.keys]
    events = read_events(found["events"], reading, names, common) if "events" in found else ()
    from_ms, until_ms = (
        bound_of(found[key], zone, after=key == "until") if key in found and zone else None for key in ("from", "until")
    )
    if from_ms is not None and until_ms is not None and from_ms >= until_ms:
        found["until"].fault("is not after `from`: no row would be read")
    if zone is None or source is None or "unit" not in common:
        return None
    return Mapping(
        file=root.document.file,
        format=written,
        zone=zone,
        source=source,
        unit=common["unit"],
        subject=subject,
        times=times,
        events=events,
        columns=tuple(reading.columns),
        skip=tuple(skip),
        from_ms=from_ms,
        until_ms=until_ms,
        secret=reading.secret,
    )


def _format(node: Node | None) -> Format:
    if node is None:
        return Format()
    found = node.mapping(("delimiter", "encoding", "quotes", "columns"), what="`delimiter: …` and the like")
    delimiter, encoding, quotes, columns = ",", "utf-8", True, None
    if (item := found.get("delimiter")) is not None:
        # A tab in quotes is a text like any other here, so `text` with its ban on control characters is not asked.
        delimiter = _DELIMITERS.get(item.value, item.value)
        if item.kind != "scalar" or len(delimiter) != 1 or delimiter in '"\r\n\0' or not delimiter.isascii():
            item.fault(f"write one character, or one of {', '.join(_DELIMITERS)}")
            delimiter = ","
    if (item := found.get("encoding")) is not None:
        encoding = item.text("an encoding such as utf-8 or windows-1252") or encoding
        if not _is_text_encoding(encoding):
            item.fault(f"`{encoding}` is no encoding of text: write one such as utf-8, windows-1252 or utf-16")
            encoding = "utf-8"
    if (item := found.get("quotes")) is not None:
        quotes = item.boolean("whether cells may stand in quotation marks") is not False
    if (item := found.get("columns")) is not None:
        names = [name for each in item.sequence("names") if (name := each.text("a column's name")) is not None]
        columns = tuple(names)
        if len(set(names)) < len(names):
            item.fault("two columns have the same name: each needs its own")
    return Format(delimiter, encoding, quotes, columns)


def _is_text_encoding(name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)()
        return "a".encode(name) != b"" and isinstance(b"".decode(name), str)
    except (LookupError, UnicodeError, AttributeError, TypeError):
        return False


def _subject(node: Node, reading: Reading) -> Subject | None:
    found = node.mapping(("columns", "prefix", "hash"), required=("columns",), what="a subject")
    columns: list[str] = []
    if (item := found.get("columns")) is not None:
        columns = reading.columns_of(item)
        if item.kind == "list" and not columns:
            item.fault("name at least one key column")
    prefix, always = "", False
    if (item := found.get("prefix")) is not None:
        prefix = item.text("a prefix", longest=64) or ""
        if prefix and not fits_ids(prefix):
            item.fault("a prefix is made of A-Z a-z 0-9 . _ : / -")
    if (item := found.get("hash")) is not None:
        always = item.choice("when ids are hashed", ("needed", "always")) == "always"
    return Subject(tuple(columns), prefix, always) if columns else None
