"""Logs of other systems to events: delimited logs by a declarative mapping, and `.jsonl` files of CloudEvents."""

from loket.importing.mapping import LogError, Mapping, MappingError
from loket.importing.mapping_file import read_mapping, secret_of
from loket.importing.outgoing import Outgoing, records_of
from loket.importing.reading import events_of
from loket.importing.report import RefusedRow, Report

__all__ = [
    "LogError",
    "Mapping",
    "MappingError",
    "Outgoing",
    "RefusedRow",
    "Report",
    "events_of",
    "read_mapping",
    "records_of",
    "secret_of",
]
