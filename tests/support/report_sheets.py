"""The sheets of a report's workbook."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree as ET

__all__ = ["workbook"]


def workbook(content: bytes) -> dict[str, list[list[str]]]:
    """The sheets of a workbook, read without the library that wrote it."""

    def cells(row: ET.Element) -> Iterator[tuple[str, str]]:
        for cell in row.findall("m:c", space):
            yield cell.attrib.get("t", ""), cell.findtext("m:v", "", space)

    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [
            sheet.attrib["name"]
            for sheet in ET.fromstring(archive.read("xl/workbook.xml")).iter(f"{{{space['m']}}}sheet")
        ]
        texts = [
            "".join(part.itertext())
            for part in ET.fromstring(archive.read("xl/sharedStrings.xml")).findall("m:si", space)
        ]
        sheets = {}
        for number, name in enumerate(names, start=1):
            page = ET.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
            sheets[name] = [
                [texts[int(value)] if kind == "s" else value for kind, value in cells(row)]
                for row in page.iter(f"{{{space['m']}}}row")
            ]
    return sheets
