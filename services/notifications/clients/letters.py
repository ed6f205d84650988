"""A letter as PDF, in large print where somebody needs that. Made when it is sent, and not kept."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import typst

from contracts.calendar import day_of
from services.notifications.clients.words import TEMPLATES, Text

POINTS: Final = 12
LARGE_PRINT: Final = 18
"""What the RNIB calls large print begins at 16 points, and 18 is what most ask for."""
FONTS: Final = ("Libertinus Serif", "DejaVu Sans Mono")
LETTER: Final = (TEMPLATES / "letter.typ").read_bytes()


def letter(text: Text, address: Sequence[str], needs: Collection[str], at: datetime) -> bytes:
    """CPU-bound: tens of milliseconds."""
    return typst.compile(LETTER, format="pdf", sys_inputs={"data": _data(text, address, needs, at)})


def _data(text: Text, address: Sequence[str], needs: Collection[str], at: datetime) -> str:
    day = day_of(at)
    return json.dumps(
        {
            "subject": text.subject,
            "address": list(address),
            "date": f"{day.day} {day:%B %Y}" if text.language == "en" else f"{day:%d.%m.%Y}",
            "paragraphs": [part.strip() for part in text.body.split("\n\n") if part.strip()],
            "points": LARGE_PRINT if "large-print" in needs else POINTS,
            "language": text.language.partition("-")[0],
            "rtl": text.right_to_left,
            "fonts": FONTS,
        }
    )
