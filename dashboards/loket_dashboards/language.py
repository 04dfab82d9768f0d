"""Texts in the two languages of the product, from one source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["LANGUAGES", "Language", "Text"]


class Language(StrEnum):
    """A language that people read."""

    ID = "id"
    EN = "en"


LANGUAGES = tuple(Language)


@dataclass(frozen=True, slots=True)
class Text:
    """The same said in both languages."""

    id: str
    en: str

    def said(self, language: Language) -> str:
        """The text in a language."""
        return self.id if language is Language.ID else self.en
