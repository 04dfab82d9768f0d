"""Dead letters for people, shown so that no byte of them can do anything to a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import msgspec
from rich.console import Console
from rich.text import Text

from loket.harmless import harmless
from loket_consumers.dead_letters import Count, DeadLetter

__all__ = ["print_list", "print_one", "told"]

EXCERPT: Final = 200
"""How many bytes of a value a list shows."""


def print_list(letters: Sequence[DeadLetter], counts: Sequence[Count], *, json: bool = False) -> None:
    """Print dead letters, some lines each, and how many there are, or one JSON object a line (bytes in base64)."""
    if json:
        for letter in letters:
            sys.stdout.buffer.write(msgspec.json.encode(letter) + b"\n")
        return
    console = Console()
    if not letters:
        console.print(Text("No dead letters."))
        return
    for letter in letters:
        console.print(_in_short(letter))
        event = " ".join(f"{name} {harmless(value)}" for name, value in _named(letter))
        if event:
            console.print(Text(f"    {event}"))
        excerpt = _excerpt(letter.value)
        console.print(Text(f"    {excerpt}", style="dim"), no_wrap=True, overflow="ellipsis", crop=True)
    console.print(Text(f"In all {told([(each.reason, each.number) for each in counts])}"))
    replayed = [(each.reason, each.replayed) for each in counts if each.replayed]
    if replayed:
        console.print(Text(f"Replayed before: {told(replayed)}"))
    older = sum(each.number for each in counts) - len(letters)
    if older > 0:
        console.print(Text(f"and {older} older: choose with --reason, --unit, --since …, or raise --limit"))


def _in_short(letter: DeadLetter) -> Text:
    where = f" ({harmless(letter.field)})" if letter.field else ""
    line = Text(harmless(letter.name), style="bold")
    line.append(f"  {letter.time}  {harmless(letter.reason)}{where}", style="not bold")
    if letter.replayed:
        line.append(f"  replayed {letter.replayed}", style="not bold green")
    return line


def _named(letter: DeadLetter) -> list[tuple[str, str]]:
    """What could be read of the event."""
    named = {"unit": letter.unit, "source": letter.source, "id": letter.id}
    return [(name, value) for name, value in named.items() if value]


def _excerpt(value: bytes | None) -> str:
    if value is None or len(value) <= EXCERPT:
        return _shown(value)
    begin = value[:EXCERPT]
    for cut in range(4):  # a character may have been cut in two
        try:
            return harmless(begin[: EXCERPT - cut].decode()) + " …"
        except UnicodeDecodeError:
            continue
    return f"{begin!r} …"


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


def _shown(value: bytes | None) -> str:
    if value is None:
        return "(none)"
    try:
        return harmless(value.decode())
    except UnicodeDecodeError:
        return repr(value)
