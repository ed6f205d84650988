"""Letters as PDF: the address in the window, large print where it is needed, and every language from its own side."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.notifications.clients.letters import NotPrintable, _data, letter, must_print
from services.notifications.clients.words import BadWords, Text, Words
from tests.notifications.test_words import PSEUDO, pseudo
from tests.support import NOON

ADDRESS = ["Example Person", "12 Example Street", "LS9 6AB"]
TEXT = Text("News for you", "Hello,\n\nThere is #news with $5 and \\ and <b>.\n", "")


@pytest.mark.parametrize(
    ("needs", "points"), [((), 12), (("large-print", "bsl"), 18), (("bsl",), 14), (("easy-read",), 14)]
)
def test_who_needs_larger_letters_gets_them(needs: tuple[str, ...], points: int) -> None:
    assert json.loads(_data(TEXT, ADDRESS, needs, NOON))["points"] == points


def test_a_letter_is_a_pdf_and_its_words_are_no_program() -> None:
    pdf = letter(TEXT, ADDRESS, ["large-print"], NOON)
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type/Page\n") <= 1


def test_a_language_from_right_to_left_is_set_so(tmp_path: Path) -> None:
    text = Words(pseudo(tmp_path)).text("accepted", "device", [PSEUDO], neutral=False)
    data = json.loads(_data(text, ADDRESS, (), NOON))
    assert (data["rtl"], data["language"], data["date"]) == (True, "ar", "20.11.2026")
    assert letter(text, ADDRESS, (), NOON).startswith(b"%PDF")


@pytest.mark.parametrize("changes", [{"body": "ਸਤ ਸ੍ਰੀ ਅਕਾਲ\n"}, {"subject": "你好"}])
def test_what_no_font_can_show_is_not_printed(changes: dict[str, Any]) -> None:
    with pytest.raises(NotPrintable):
        letter(replace(TEXT, **changes), ADDRESS, (), NOON)
    with pytest.raises(NotPrintable):
        letter(TEXT, ["ਸਤਨਾਮ", *ADDRESS[1:]], (), NOON)
    assert letter(replace(TEXT, body="Zażółć, Ελλάδα, Привет\n"), ADDRESS, (), NOON)


def test_a_language_in_a_script_that_no_font_has_is_refused_when_the_service_starts(tmp_path: Path) -> None:
    must_print(Words())
    folder = pseudo(tmp_path)
    path = folder / PSEUDO / "plain.toml"
    path.write_text(path.read_text().replace('device = "', 'device = "你好 ', 1))
    with pytest.raises(BadWords, match=f"{PSEUDO}/plain.toml"):
        must_print(Words(folder))


def test_letters_and_mails_say_who_writes_and_neutral_ones_do_not() -> None:
    words = Words(signature="Digital help in Leeds")
    for easy in (False, True):
        assert words.text("accepted", "device", neutral=False, easy=easy).body.endswith("\n\nDigital help in Leeds\n")
        assert "Leeds" not in words.text("accepted", "device", neutral=True, easy=easy).body


def test_an_address_of_one_line_does_not_stop_a_letter() -> None:
    assert letter(TEXT, ["Example Person"], (), NOON).startswith(b"%PDF")
