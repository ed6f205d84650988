"""A letter as PDF, in large print where somebody needs that. Made when it is sent, and not kept."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

import font_source_sans_pro  # type: ignore[import-untyped]
import typst

from contracts.calendar import day_of
from services.notifications.clients.words import ABOUT, EASY, TEMPLATES, BadWords, Text, Words

POINTS: Final = 12
EASY_READ: Final = 14
LARGE_PRINT: Final = 18
"""What the RNIB calls large print begins at 16 points, and 18 is what most ask for."""
FAMILIES: Final = ("Source Sans Pro", "Libertinus Serif", "DejaVu Sans Mono")
"""Without serifs, as is easier to read; the others for scripts that it lacks."""
FONTS: Final = typst.Fonts(include_system_fonts=False, font_paths=[font_source_sans_pro.font_directory])
ARCHIVED: Final = "a-2b"
"""PDF/A: no character may stand in it that its fonts cannot show."""
LETTER: Final = (TEMPLATES / "letter.typ").read_bytes()


class NotPrintable(Exception):
    """The name, the address or the words have characters that no font of ours has."""


def letter(text: Text, address: Sequence[str], needs: Collection[str], at: datetime) -> bytes:
    """CPU-bound: milliseconds. Raises NotPrintable."""
    inputs = {"data": _data(text, address, needs, at)}
    try:
        return typst.compile(LETTER, format="pdf", font_paths=FONTS, sys_inputs=inputs, pdf_standards=ARCHIVED)
    except typst.TypstError:
        raise NotPrintable from None  # its text repeats ours


def _points(needs: set[str]) -> int:
    if "large-print" in needs:
        return LARGE_PRINT
    return EASY_READ if needs & EASY else POINTS


def must_print(words: Words) -> None:
    """Raises BadWords where a language is written in a script that our fonts lack."""
    for language, level in words.books:
        for about in ABOUT:
            text = words.text(about, "device", [language], neutral=False, easy=level == "easy")
            try:
                letter(text, [], (), datetime(2026, 1, 1, tzinfo=UTC))
            except NotPrintable:
                raise BadWords(f"{language}/{level}.toml, [{about}]: no font of ours has these characters") from None


def _data(text: Text, address: Sequence[str], needs: Collection[str], at: datetime) -> str:
    day = day_of(at)
    return json.dumps(
        {
            "subject": text.subject,
            "address": list(address),
            "date": f"{day.day} {day:%B %Y}" if text.language == "en" else f"{day:%d.%m.%Y}",
            "day": [day.year, day.month, day.day],
            "paragraphs": [part.strip() for part in text.body.split("\n\n") if part.strip()],
            "points": _points(set(needs)),
            "language": text.language.partition("-")[0],
            "rtl": text.right_to_left,
            "fonts": FAMILIES,
        }
    )
