"""The small parts of `mapping.yaml`: columns, formats, conditions, values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from loket.documents import Node
from loket.domain.events import Id, Opaque
from loket.importing.mapping import Cell, Condition, Constant, DateColumn, Test, TimeValue, Value
from loket.importing.timeformat import FormatError, TimeFormat
from loket.wire.ids import convert_text

__all__ = ["ID_RULE", "Reading", "check_texts", "condition_of", "date_column_of", "fits_ids", "value_of"]

ID_RULE: Final = "an id has 1 to 128 of A-Z a-z 0-9 . _ : / -, and a person's is no number of 16 or 18 digits"

_fits = re.compile(r"[A-Za-z0-9._:/-]*").fullmatch
_NUMBER_BOUND: Final = 10**12


@dataclass(slots=True)
class Reading:
    """What the parts of one mapping share: the columns that they need, and the defaults of times.

    `given` are the mapping's own keys: what is wrong there is a fault already, and not missing elsewhere.
    """

    columns: dict[str, None] = field(default_factory=dict)
    secret: str | None = None
    date: DateColumn | None = None
    time_format: TimeFormat | None = None
    given: frozenset[str] = frozenset()

    def column_of(self, node: Node) -> str | None:
        """The name of a column, which the log then has to have."""
        column = node.text("a column's name")
        if column is not None:
            self.columns[column] = None
        return column

    def columns_of(self, node: Node) -> list[str]:
        """The names of a list of columns."""
        return [column for item in node.sequence("columns") if (column := self.column_of(item)) is not None]

    def format_of(self, node: Node) -> TimeFormat | None:
        """A time format."""
        text = node.text('a format such as "%d/%m/%Y %H:%M:%S"')
        if text is None:
            return None
        try:
            return TimeFormat.compile(text)
        except FormatError as error:
            node.fault(str(error))
            return None


def fits_ids(text: str) -> bool:
    """Whether this may stand in an id."""
    return _fits(text) is not None


def date_column_of(node: Node, reading: Reading) -> DateColumn | None:
    """`{column: …, format: …}` of dates."""
    found = node.mapping(("column", "format"), required=("column", "format"), what="a date")
    column = reading.column_of(found["column"]) if "column" in found else None
    written = reading.format_of(found["format"]) if "format" in found else None
    if written is not None and not written.has_date:
        found["format"].fault('has no date: write one such as "%Y-%m-%d"')
    return None if column is None or written is None else DateColumn(column, written)


def condition_of(node: Node, reading: Reading) -> Condition | None:
    """`{column: text, column: [texts], column: {not: …}, …}`: all of these hold."""
    return node.once("condition", lambda node: _condition(node, reading))


def _condition(node: Node, reading: Reading) -> Condition | None:
    tests: list[Test] = []
    for key, item in node.entries("conditions, `column: text` each"):
        reading.columns[key.value] = None
        if item.kind != "mapping":
            if (texts := item.once("texts", _texts)) is not None:
                tests.append(Test(key.value, "is", texts))
            continue
        for kind, asked in item.mapping(("not", "empty", "above", "below"), what="a test").items():
            test = _test(key.value, kind, asked)
            if test is not None:
                tests.append(test)
    if node.kind == "mapping" and not node.items:
        node.fault("an empty condition holds for every row: name a column")
    return Condition(tuple(tests)) if tests else None


def _test(column: str, kind: str, node: Node) -> Test | None:
    if kind == "not":
        texts = node.once("texts", _texts)
        return None if texts is None else Test(column, "not", texts)
    if kind == "empty":
        empty = node.boolean("whether the cell is empty")
        return None if empty is None else Test(column, "empty" if empty else "filled")
    bound = node.number("what the cell is compared with", -_NUMBER_BOUND, _NUMBER_BOUND, places=9)
    compared: Literal["above", "below"] = "above" if kind == "above" else "below"
    return None if bound is None else Test(column, compared, bound=float(bound))


def _texts(node: Node) -> frozenset[str] | None:
    """A text, or a list of them; an empty one in quotes means an empty cell."""
    found = [node] if node.kind != "list" else node.sequence("texts")
    texts = [item.value if item.kind == "scalar" and not item.plain else item.text("a text") for item in found]
    return None if None in texts or not texts else frozenset(text.strip() for text in texts if text is not None)


def value_of(node: Node, reading: Reading) -> Value | None:
    """A constant, or a column and what becomes of its texts, or one of the mapping's times."""
    if node.kind == "scalar":
        text = node.text("a text, or `{column: …}`")
        return None if text is None else Constant(text)
    return node.once("value", lambda node: _translation(node, reading))


def check_texts(node: Node, value: Value, annotation: Any) -> None:
    """Fault a text that the mapping itself gives for a field which cannot hold it: no row could bring that event.

    What the log gives is seen row by row.
    """
    node.once(f"texts for {annotation}", lambda node: _check_texts(node, value, annotation))


def _check_texts(node: Node, value: Value, annotation: Any) -> None:
    if isinstance(value, Constant):
        texts = [value.text]
    elif isinstance(value, Cell) and value.values is not None and not (value.slug or value.hashed):
        texts = [value.prefix + text for text in value.values.values()]
    else:
        return
    for text in texts:
        try:
            convert_text(text, annotation)
        except msgspec.ValidationError as error:
            why = ID_RULE if annotation in (Id, Opaque) else str(error)
            node.fault(f"`{text}` cannot stand in an event: {why}")
            return


def _translation(node: Node, reading: Reading) -> Value | None:
    keys = ("column", "values", "others", "nobody", "prefix", "slug", "hash", "time")
    found = node.mapping(keys, what="`{column: …}`")
    if "time" in found:
        for key in found.keys() - {"time"}:
            found[key].fault("does not go together with `time`")
        name = found["time"].text("the name of a time")
        return None if name is None else TimeValue(name)
    if "column" not in found:
        if len(found) < len(node.keys):  # a misspelt key, perhaps this one, is a fault already
            return None
        node.fault("`column` is missing: name the column that has it")
        return None
    column = reading.column_of(found["column"])
    values = found["values"].once("values", _values) if "values" in found else None
    keep = values is None
    if (item := found.get("others")) is not None:
        keep = item.choice("what becomes of other texts", ("keep", "refuse")) == "keep"
    nobody = found["nobody"].once("texts", _texts) if "nobody" in found else None
    prefix = ""
    if (item := found.get("prefix")) is not None:
        prefix = item.text("a prefix", longest=64) or ""
    slug, hashed = (key in found and found[key].boolean(f"whether to use `{key}`") is True for key in ("slug", "hash"))
    if hashed and reading.secret is None:
        found["hash"].fault("needs a `secret`: without one anybody can find out by trying whose id a hash is")
    if slug and hashed:
        found["slug"].fault("does not go together with `hash`")
    return None if column is None else Cell(column, values, keep, nobody or frozenset(), prefix, slug, hashed)


def _values(node: Node) -> dict[str, str]:
    values: dict[str, str] = {}
    for key, item in node.entries("translations, `text in the log: text in the event` each"):
        text = item.text("a text")
        if text is not None:
            values[key.value.strip()] = text
    return values
