"""Texts of others, made fit for a terminal, a log and a report.

A name, an id or a path may hold what moves the cursor, colours the line, hides letters or turns them around (escape
sequences, line ends, bidirectional and invisible characters). What is shown to a person passes here.
"""

from __future__ import annotations

from typing import Final

__all__ = ["LINE", "MESSAGE", "harmless"]

LINE: Final = "\\"
"""What stays in a line of ours that quotes others."""

MESSAGE: Final = "\\\n"
"""What stays in a message of ours that may have several lines."""


def harmless(text: str, keep: str = "") -> str:
    """A text with every control, invisible and unassigned character escaped as Python writes it.

    The backslash too, unless `keep` has it: so that no text can pretend to hold an escape.
    """
    if text.isprintable() and ("\\" in keep or "\\" not in text):
        return text
    return "".join(
        character
        if character in keep or (character.isprintable() and character != "\\")
        else character.encode("unicode_escape").decode()
        for character in text
    )
