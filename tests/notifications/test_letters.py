"""Letters as PDF: the address in the window, large print where it is needed, and every language from its own side."""

import json
from pathlib import Path

import pytest

from services.notifications.clients.letters import LARGE_PRINT, POINTS, _data, letter
from services.notifications.clients.words import Text, Words
from tests.notifications.test_words import PSEUDO, pseudo
from tests.support import NOON

ADDRESS = ["Example Person", "12 Example Street", "LS9 6AB"]
TEXT = Text("News for you", "Hello,\n\nThere is #news with $5 and \\ and <b>.\n", "")


@pytest.mark.parametrize(("needs", "points"), [((), POINTS), (("large-print",), LARGE_PRINT), (("bsl",), POINTS)])
def test_large_print_is_for_those_who_need_it(needs: tuple[str, ...], points: int) -> None:
    assert json.loads(_data(TEXT, ADDRESS, needs, NOON))["points"] == points
    assert LARGE_PRINT >= 16


def test_a_letter_is_a_pdf_and_its_words_are_no_program() -> None:
    pdf = letter(TEXT, ADDRESS, ["large-print"], NOON)
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type/Page\n") <= 1


def test_a_language_from_right_to_left_is_set_so(tmp_path: Path) -> None:
    text = Words(pseudo(tmp_path)).text("accepted", "device", [PSEUDO], neutral=False)
    data = json.loads(_data(text, ADDRESS, (), NOON))
    assert (data["rtl"], data["language"], data["date"]) == (True, "ar", "20.11.2026")
    assert letter(text, ADDRESS, (), NOON).startswith(b"%PDF")


def test_an_address_of_one_line_does_not_stop_a_letter() -> None:
    assert letter(TEXT, ["Example Person"], (), NOON).startswith(b"%PDF")
