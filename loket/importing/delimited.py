"""A delimited log as rows of cells with their lines; a file that is not what the mapping says is refused at once.

```
bytes ─▶ encoding (all of it, first) ─▶ delimiter and columns (the first line) ─▶ rows ─▶ cells by column, trimmed
```
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Final, Literal

from loket.documents import closest
from loket.importing.mapping import Format, LogError
from loket.importing.report import RefusedRowError

__all__ = ["Row", "check_encoding", "rows_of"]

_CHUNK: Final = 1 << 20
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT: Final = (
    (b"PK\x03\x04", "a workbook or another packed file"),
    (b"\xd0\xcf\x11\xe0", "a workbook of an old kind"),
    (b"\x1f\x8b", "compressed"),
)
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the line on which it begins (from 1), and its cells or what is wrong with it."""

    line: int
    cells: dict[str, str]
    fault: RefusedRowError | None = None


def check_encoding(path: Path, encoding: str) -> None:
    """Read the whole file once; raise LogError where it is not of the encoding, naming the one that it seems to be."""
    file = str(path)
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    try:
        with path.open("rb") as stream:
            first = stream.read(_CHUNK)
            _refuse_another_encoding(file, first, encoding)
            chunk = first
            while True:
                try:
                    line += decoder.decode(chunk, final=not chunk).count("\n")
                except UnicodeDecodeError as error:
                    line += error.object.count(b"\n", 0, error.start)
                    raise LogError(file, line, _undecodable(error, encoding)) from error
                except UnicodeError as error:  # UTF-16 without its mark, and the like
                    raise LogError(file, line, f"is not {encoding}: {error}; name the export's own encoding") from error
                if not chunk:
                    return
                chunk = stream.read(_CHUNK)
    except OSError as error:
        told = f"cannot be read: {(error.strerror or str(error)).lower()}; check the path and the rights"
        raise LogError(file, 0, told) from error


def _refuse_another_encoding(file: str, first: bytes, encoding: str) -> None:
    for mark, what in _NO_TEXT:
        if first.startswith(mark):
            raise LogError(file, 0, f"is {what}, not text: save it as CSV first")
    family = codecs.lookup(encoding).name.partition("-")[2].replace("-sig", "")[:2]
    for mark, name in _MARKS:
        if first.startswith(mark):
            if family != name.partition("-")[2][:2]:
                told = f"begins with the mark of {name}, and the mapping says {encoding}: write `encoding: {name}`"
                raise LogError(file, 1, told)
            return
    begin = first[:4_096]
    # Of Latin letters every second byte is zero; a zero here and there is a damaged cell, which its row is refused for.
    if family not in ("16", "32") and begin.count(0) * 4 >= len(begin) > 0:
        told = (
            f"has zero bytes, as {_wide(first)} has, and the mapping says {encoding}: write `encoding: {_wide(first)}`"
        )
        raise LogError(file, 1, told)


def _wide(first: bytes) -> str:
    # Latin letters in UTF-16 are a byte and a zero; which comes first tells the order.
    return "utf-16-be" if first[:1] == b"\0" else "utf-16-le"


def _undecodable(error: UnicodeDecodeError, encoding: str) -> str:
    other = "windows-1252" if codecs.lookup(encoding).name.startswith("utf-8") else "utf-8"
    return (
        f"byte 0x{error.object[error.start]:02x} is not {encoding}: name the encoding of the export in the mapping "
        f"(perhaps `encoding: {other}`)"
    )


def _unclosed(error: csv.Error, first: int, last: int) -> str:
    """What is wrong with a row of these lines; one that took others with it says which, as they are lost with it."""
    if last <= first:
        return f"{error}; a quotation mark that opens a cell has to close it (or write `quotes: false`)"
    return (
        f"a quotation mark opens a cell and does not close it, so the {last - first:,} lines after this one, up to "
        f"line {last:,}, were taken for the same row ({error}): none of them is imported. Close it in the log (or "
        "write `quotes: false`) and import again"
    )


def rows_of(
    path: Path, format: Format, columns: tuple[str, ...], on_bytes: Callable[[int], None] | None = None
) -> Iterator[Row]:
    """The rows of a file, whose `columns` are there. Raises LogError before the first row.

    `on_bytes` is told now and then how far the reading has come.
    """
    file = str(path)
    # A mark of UTF-8 at the beginning is no part of the first column's name.
    encoding = "utf-8-sig" if codecs.lookup(format.encoding).name == "utf-8" else format.encoding
    with path.open("rb") as raw, TextIOWrapper(raw, encoding=encoding, newline="") as text:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if format.quotes else csv.QUOTE_NONE
        reader = csv.reader(text, delimiter=format.delimiter, quoting=quoting, strict=True)
        names = format.columns
        if names is None:
            try:
                names = tuple(name.strip() for name in next(reader, ()))
            except csv.Error as error:
                raise LogError(file, 1, f"the first line cannot be read: {error}; perhaps `quotes: false`") from error
            _check_columns(file, path, format, names, columns)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield Row(line, {}, RefusedRowError("", "", _unclosed(error, line, reader.line_num)))
                continue
            if cells is None:
                return
            if on_bytes is not None and line % 1_024 == 0:
                on_bytes(raw.tell())
            if not cells:
                continue
            if len(cells) != len(names):
                shown = format.delimiter.join(cells)[:_LONGEST_SHOWN]
                told = f"has {len(cells)} columns, and the log has {len(names)}"
                yield Row(line, {}, RefusedRowError("", shown, told))
                continue
            yield Row(line, {name: cell.strip() for name, cell in zip(names, cells, strict=True)})


def _check_columns(file: str, path: Path, format: Format, names: tuple[str, ...], columns: tuple[str, ...]) -> None:
    if not names:
        raise LogError(file, 0, "is empty: the first line names the columns")
    missing = [column for column in columns if column not in names]
    twice = sorted({column for column in columns if names.count(column) > 1})
    if twice:
        raise LogError(file, 1, f"two columns are called `{twice[0]}`: rename one, or name the columns in the mapping")
    if not missing:
        return
    with path.open(encoding=format.encoding, errors="replace", newline="") as text:
        first = text.readline()
    for other, name in _DELIMITERS.items():
        found = [cell.strip().strip('"') for cell in first.split(other)]
        if other != format.delimiter and len(found) > len(names) and all(column in found for column in columns):
            told = (
                f"the first line has {_columns(len(names))} under {format.delimiter!r} and {len(found)} under "
                f"{other!r}: write `delimiter: {name}` in the mapping"
            )
            raise LogError(file, 1, told)
    told = ", ".join(f"`{column}`{closest(column, names)}" for column in missing)
    found_names = ", ".join(names)[:300]
    row = "" if len(missing) < len(columns) else "; if that is a row already, name the columns in `format.columns`"
    raise LogError(file, 1, f"has no column {told}, which the mapping needs; the first line has: {found_names}{row}")


def _columns(number: int) -> str:
    return "1 column" if number == 1 else f"{number} columns"
