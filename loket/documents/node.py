"""Nodes of a document: text and places, what may be asked of them, and the faults that come of it.

A reader asks a node for what it expects (`text`, `number`, `mapping`, …). What is otherwise becomes a fault, reading
goes on, and all faults of a file are told at once.

```
UsageError
└── DocumentError           a file that a person wrote is wrong: its faults, in the order of their lines
```
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final, Literal, TypeVar

from loket.errors import UsageError
from loket.harmless import LINE, harmless

__all__ = ["Document", "DocumentError", "Fault", "Node", "closest"]

MAX_FAULTS_TOLD: Final = 20

MAX_FAULTS: Final = 100
"""Where reading stops: whoever has so many has given the wrong file, or one that repeats its faults by aliases."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})")
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {"true": True, "false": False}

_FEW: Final = 40
"""As many known words are compared letter by letter; of more, those that begin like the word."""
_LONGEST_WORD: Final = 64

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place. `line` and `column` count from 1; 0 where the fault is of the file as a whole."""

    line: int
    column: int
    path: str
    message: str


class DocumentError(UsageError):
    """A file that a person wrote is wrong; `faults` has all that was found, in the order of their lines."""

    def __init__(self, file: str, faults: Collection[Fault]) -> None:
        self.file = file
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))
        told = [self._told(fault) for fault in self.faults[:MAX_FAULTS_TOLD]]
        if len(self.faults) > MAX_FAULTS_TOLD:
            more = "at least " if len(self.faults) >= MAX_FAULTS else ""
            told.append(f"{file}: and {more}{len(self.faults) - MAX_FAULTS_TOLD} faults more")
        super().__init__("\n".join(told))

    def _told(self, fault: Fault) -> str:
        place = f", line {fault.line}, column {fault.column}" if fault.line else ""
        path = f"{fault.path}: " if fault.path else ""
        return harmless(f"{self.file}{place}: {path}{fault.message}", LINE)


def closest(word: str, known: Collection[str]) -> str:
    """Return ` (did you mean …?)` for the known word most like `word`, and nothing where none is."""
    if len(word) > _LONGEST_WORD:
        return ""
    sought = word.casefold()
    folded = {other.casefold(): other for other in known}
    if len(folded) > _FEW:
        begins = sought.rpartition("/")[2][:2]  # of two letters, as the first may be the wrong one
        folded = {other: name for other, name in folded.items() if other.rpartition("/")[2][:1] in begins}
    found = get_close_matches(sought, folded, n=1, cutoff=0.6)
    return f" (did you mean `{folded[found[0]]}`?)" if found else ""


@dataclass(slots=True, eq=False)
class Document:
    """One file, the faults found in it so far, and what was read of the nodes that aliases may repeat."""

    file: str
    faults: list[Fault] = field(default_factory=list)
    known: dict[tuple[str, int], Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Node:
    """A scalar, a list or a mapping of a document, where it stands, and what may be asked of it.

    What a node does not have is None, and a fault of the document: the caller goes on with the rest.
    """

    document: Document
    kind: Literal["scalar", "list", "mapping"]
    line: int
    column: int
    path: str = ""
    value: str = ""
    plain: bool = True
    items: list[Node] = field(default_factory=list)
    keys: list[Node] = field(default_factory=list)
    size: int = 1

    def fault(self, message: str) -> None:
        """Note that something is wrong here. Raises DocumentError where that is one fault too many."""
        faults = self.document.faults
        faults.append(Fault(self.line, self.column, self.path, message))
        if len(faults) >= MAX_FAULTS:
            raise DocumentError(self.document.file, faults)

    def closest(self, word: str, known: Collection[str]) -> str:
        """As `closest`, while faults are few enough to be told."""
        return closest(word, known) if len(self.document.faults) < MAX_FAULTS_TOLD else ""

    def once(self, what: str, read: Callable[[Node], _T]) -> _T:
        """What `read`, which reads `what`, makes of this list or mapping: read once, however often aliases repeat it.

        A few lines of aliases can stand for millions of nodes. Faults are told where it is read first.
        """
        if self.kind == "scalar":
            return read(self)
        known = self.document.known
        key = (what, id(self.items))  # which all copies of a node share, and the document keeps
        if key not in known:
            known[key] = read(self)
        found: _T = known[key]
        return found

    @property
    def nothing(self) -> bool:
        """Whether the value was left out: `key:`, `key: ~` or `key: null`."""
        return self.kind == "scalar" and self.plain and self.value in _NOTHING

    def entries(self, what: str) -> Iterator[tuple[Node, Node]]:
        """The keys and values of a mapping whose keys are names; a key that stands twice is a fault, and left out."""
        if self.kind != "mapping":
            self.fault(f"write {what} here, as `key: value` lines, {self._found()}")
            return
        seen: dict[str, Node] = {}
        for key, item in zip(self.keys, self.items, strict=True):
            path = f"{self.path}.{key.value}" if self.path else key.value
            key = self._at(key, path)
            if key.kind != "scalar" or key.nothing:
                key.fault("a key is one word: write `key: value`")
            elif (first := seen.get(key.value)) is not None:
                key.fault(f"this key is here already, in line {first.line}: leave one of the two out")
            else:
                seen[key.value] = key
                yield key, self._at(item, path)

    def mapping(
        self, known: Collection[str], required: Collection[str] = (), what: str = "a mapping"
    ) -> dict[str, Node]:
        """The entries of a mapping with fixed keys; an unknown key, and one that is missing, is a fault."""
        found: dict[str, Node] = {}
        for key, item in self.entries(what):
            if key.value not in known:
                key.fault(f"unknown key{key.closest(key.value, known)}; known here: {', '.join(known)}")
            else:
                found[key.value] = item
        if self.kind == "mapping" and (missing := [f"`{key}`" for key in required if key not in found]):
            self.fault(f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing: {what} needs it")
        return found

    def sequence(self, what: str) -> list[Node]:
        """The items of a list."""
        if self.kind != "list":
            self.fault(f"write a list of {what} here, each after a `-`, {self._found()}")
            return []
        return [self._at(item, f"{self.path}[{index}]") for index, item in enumerate(self.items)]

    def text(self, what: str, longest: int = 256) -> str | None:
        """A scalar as the characters that were written, not empty, without control characters."""
        if self.kind != "scalar" or self.nothing or not self.value:
            self.fault(f"write {what} here, {self._found()}")
        elif len(self.value) > longest:
            self.fault(f"{what} may have {longest} characters, this has {len(self.value)}")
        elif not self.value.isprintable():
            self.fault(f"{what} may not hold tabs, line ends or control characters")
        else:
            return self.value
        return None

    def number(self, what: str, low: Decimal | int, high: Decimal | int, places: int = 0) -> Decimal | None:
        """A number from `low` to `high` with at most `places` decimals."""
        told = f"{what}: {'a number' if places else 'a whole number'} from {low} to {high}"
        if self.kind != "scalar" or not self.plain or _NUMBER.fullmatch(self.value) is None:
            self.fault(f"write {told}, without quotes, {self._found()}")
            return None
        number = Decimal(self.value)
        if not low <= number <= high:
            self.fault(f"{self.value} is out of bounds: write {told}")
        elif number != round(number, places):
            self.fault(f"{self.value} is too fine: write {told}" + (f", at most {places} decimals" if places else ""))
        else:
            return number
        return None

    def whole(self, what: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`."""
        number = self.number(what, low, high)
        return None if number is None else int(number)

    def boolean(self, what: str) -> bool | None:
        """`true` or `false`."""
        if self.kind != "scalar" or not self.plain or self.value not in _BOOLEANS:
            self.fault(f"write `true` or `false` for {what}, {self._found()}")
            return None
        return _BOOLEANS[self.value]

    def choice(self, what: str, known: Collection[str]) -> str | None:
        """One of some words."""
        word = self.text(what)
        if word is not None and word not in known:
            self.fault(f"`{word}` is not {what}{self.closest(word, known)}: one of {', '.join(known)}")
            return None
        return word

    def _found(self) -> str:
        if self.kind != "scalar":
            return f"not a {self.kind}"
        return "not nothing" if self.nothing or not self.value else f"not `{self.value[:40]}`"

    def _at(self, node: Node, path: str) -> Node:
        # A copy, as a node that aliases repeat stands under several paths.
        return Node(
            node.document, node.kind, node.line, node.column, path, node.value, node.plain, node.items, node.keys
        )
