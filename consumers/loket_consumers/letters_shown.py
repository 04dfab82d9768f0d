"""Dead letters for people, shown so that no byte of them can do anything to a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loket.harmless import harmless
from loket_consumers.dead_letters import Count, DeadLetter

__all__ = ["print_list", "print_one", "told"]

EXCERPT: Final = 60
"""How many bytes of a value a list shows."""


def print_list(letters: Sequence[DeadLetter], counts: Sequence[Count], *, json: bool = False) -> None:
    """Print dead letters as a table with how many there are, or one JSON object a line (bytes in base64)."""
    if json:
        for letter in letters:
            sys.stdout.buffer.write(msgspec.json.encode(letter) + b"\n")
        return
    console = Console()
    if not letters:
        console.print(Text("No dead letters."))
        return
    table = Table()
    for name in ("dead letter", "time", "unit", "reason", "field", "source", "id", "replayed"):
        table.add_column(name, overflow="fold")
    table.add_column("begins with", overflow="ellipsis", no_wrap=True)
    for letter in letters:
        cells = (letter.name, letter.time, letter.unit, letter.reason, letter.field, letter.source, letter.id)
        excerpt = _shown(None if letter.value is None else letter.value[:EXCERPT], cut=True)
        table.add_row(*(Text(harmless(cell or "")) for cell in (*cells, letter.replayed)), Text(excerpt))
    console.print(table)
    console.print(Text(f"In all {told([(each.reason, each.number) for each in counts])}"))
    replayed = [(each.reason, each.replayed) for each in counts if each.replayed]
    if replayed:
        console.print(Text(f"Replayed before: {told(replayed)}"))
    older = sum(each.number for each in counts) - len(letters)
    if older > 0:
        console.print(Text(f"and {older} older: choose with --reason, --unit, --since …, or raise --limit"))


def told(counts: Sequence[tuple[str, int]]) -> str:
    """Numbers by reason as a person reads them: `5: not_json 3, missing_field 2`."""
    return f"{sum(number for _, number in counts):,}: " + ", ".join(f"{reason} {number:,}" for reason, number in counts)


def print_one(letter: DeadLetter) -> None:
    """Print one dead letter, its bytes with everything that is not plain text escaped."""
    console = Console(soft_wrap=True, highlight=False)
    lines = {
        "dead letter": letter.name,
        "time": letter.time,
        "reason": letter.reason,
        "field": letter.field or "",
        "source": letter.source or "",
        "id": letter.id or "",
        "what to do": letter.sentence,
        "replayed": letter.replayed,
    }
    for name, value in lines.items():
        if value:
            console.print(Text(f"{name}: ", style="bold").append(Text(harmless(value), style="not bold")))
    console.print(Text("key: " + _shown(letter.key)))
    for name, header in letter.unpacked_headers():
        console.print(Text(f"header {harmless(name)}: {_shown(header)}"))
    console.print(Text("value: " + _shown(letter.value)))


def _shown(value: bytes | None, *, cut: bool = False) -> str:
    if value is None:
        return "(none)"
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        if not cut or error.start < len(value) - 3:  # a character may have been cut in two
            return repr(value)
        text = value[: error.start].decode()
    return harmless(text)
