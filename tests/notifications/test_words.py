"""The words of every message, in every language and at every reading level, without any server."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from contracts.vocabulary import KINDS
from services.notifications.clients.words import ABOUT, NEUTRAL, TEMPLATES, BadWords, Words
from services.notifications.domain.sms import parts
from services.notifications.domain.telling import TOLD
from tests.notifications.reading import grade

TELLING = re.compile(
    r"device|internet|online|digital|skill|champion|referr|computer|laptop|tablet|sim\b|course|programme|leeds|help",
    re.IGNORECASE,
)
LINK = "https://referrals.example.org/l/AAAAAAAAAAAAAAAAAAAAAA"
PSEUDO = "ar-XB"
"""CLDR's name for a made-up language that is written from right to left."""


@pytest.fixture(scope="module")
def words() -> Words:
    return Words()


def both(words: Words) -> list[Any]:
    return [book for (language, _), book in words.books.items() if language == "en"]


@pytest.mark.parametrize("about", ABOUT)
@pytest.mark.parametrize("easy", [False, True])
@pytest.mark.invariant(5)
def test_neutral_words_say_nothing_of_the_kind_or_the_programme(words: Words, about: str, easy: bool) -> None:
    texts = {words.text(about, kind, ["ur"], neutral=True, easy=easy, link=LINK) for kind in KINDS}
    assert len(texts) == 1
    (text,) = texts
    assert not TELLING.search(text.subject + text.body + text.sms)
    assert "http" not in text.body + text.sms


@pytest.mark.invariant(5)
def test_neutral_words_do_not_tell_one_end_from_another() -> None:
    assert {NEUTRAL[end] for end in ("completed", "failed", "cancelled", "rejected")} == {"closed"}


@pytest.mark.parametrize("about", ABOUT)
@pytest.mark.parametrize("easy", [False, True])
def test_plain_words_name_the_kind(words: Words, about: str, easy: bool) -> None:
    texts = {kind: words.text(about, kind, neutral=False, easy=easy) for kind in KINDS}
    bodies = {text.body for text in texts.values()}
    assert len(bodies) == (1 if easy and about == "none" else len(KINDS))
    for text in texts.values():
        assert "\n" not in text.subject
        assert "{" not in text.subject + text.body + text.sms
        assert text.body.startswith("Hello")


@pytest.mark.parametrize("about", ABOUT)
@pytest.mark.parametrize("easy", [False, True])
@pytest.mark.parametrize("neutral", [False, True])
def test_a_text_message_has_two_parts_at_most(words: Words, about: str, easy: bool, neutral: bool) -> None:
    for kind in KINDS:
        assert parts(words.text(about, kind, ["ur"], neutral=neutral, easy=easy, link=LINK).sms) <= 2


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ش" * 70, 1),
        ("ش" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_parts_are_counted_as_carriers_do(text: str, number: int) -> None:
    assert parts(text) == number


@pytest.mark.parametrize("about", ABOUT)
def test_words_are_for_a_reading_age_of_nine_and_easy_read_is_easier(words: Words, about: str) -> None:
    """A school grade is five less than an age."""
    for kind in KINDS:
        plain = words.text(about, kind, neutral=False).body
        easy = words.text(about, kind, neutral=False, easy=True).body
        assert grade(plain) <= 5.5, plain
        assert grade(easy) <= 3, easy


def test_the_first_language_that_there_are_words_in_is_used(tmp_path: Path) -> None:
    words = Words(pseudo(tmp_path))
    assert words.text("accepted", "device", ["ur", PSEUDO, "en"], neutral=False).language == PSEUDO
    assert words.text("accepted", "device", ["en", PSEUDO], neutral=False).language == "en"
    assert words.text("accepted", "device", [], neutral=False).language == "en"


def test_a_language_without_words_falls_back_to_english_and_says_so_there(words: Words) -> None:
    fallen = words.text("accepted", "device", ["ur"], neutral=False)
    understood = words.text("accepted", "device", ["ur", "en"], neutral=False)
    assert fallen.language == understood.language == "en"
    for said, not_said in ((fallen.body, understood.body), (fallen.sms, understood.sms)):
        assert "cannot write in your language yet" in said
        assert "cannot write in your language yet" not in not_said


@pytest.mark.parametrize("reviewed", ['reviewed = ""', "# nobody"])
def test_what_nobody_has_reviewed_is_not_sent(tmp_path: Path, reviewed: str) -> None:
    folder = pseudo(tmp_path)
    for path in (folder / PSEUDO).glob("*.toml"):
        path.write_text(re.sub("^reviewed = .*", reviewed, path.read_text(), flags=re.MULTILINE))
    text = Words(folder).text("accepted", "device", [PSEUDO], neutral=False)
    assert text.language == "en"
    assert "cannot write in your language yet" in text.body


def test_a_level_that_is_missing_falls_back_to_the_plain_one_of_the_language(tmp_path: Path) -> None:
    folder = pseudo(tmp_path)
    (folder / PSEUDO / "easy.toml").unlink()
    assert Words(folder).text("accepted", "device", [PSEUDO], neutral=False, easy=True).language == PSEUDO


def test_a_language_from_right_to_left_keeps_what_is_filled_in(tmp_path: Path) -> None:
    text = Words(pseudo(tmp_path)).text("feedback-closing", "device", [PSEUDO], neutral=False, link=LINK)
    assert text.right_to_left
    assert LINK in text.body
    assert not re.search("[a-z]{4}", text.body.replace(LINK, ""))


BROKEN = {
    "a field it is not given": ("{{ kind }}", "{{ name }}"),
    "a message that is missing": ("[accepted]", "[acepted]"),
    "a subject of two lines": ('subject = "How did it go?"', 'subject = "How did\\nit go?"'),
    "a text message that is too long": ('sms = "You asked', 'sms = "' + "Hello " * 40 + "You asked"),
    "no TOML": ("[kinds]", "[kinds"),
    "a kind without a name": ("champion = ", "champ = "),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_words_that_cannot_be_used_stop_the_start_and_are_named(tmp_path: Path, fault: str) -> None:
    shutil.copytree(TEMPLATES / "en", tmp_path / "en")
    path = tmp_path / "en" / "plain.toml"
    text = path.read_text()
    assert BROKEN[fault][0] in text
    path.write_text(text.replace(*BROKEN[fault]))
    with pytest.raises(BadWords, match=r"plain\.toml"):
        Words(tmp_path)


def test_every_told_status_has_words() -> None:
    assert set(ABOUT) >= set(TOLD)
    assert set(NEUTRAL) == set(ABOUT)


def test_a_referrer_reads_reference_status_and_code(words: Words) -> None:
    text = words.to_referrer("requested", "device", "GP-1042", "ABCDE-FGHJK", "https://example.org/status")
    assert text.subject == "GP-1042: we have your referral"
    assert "ABCDE-FGHJK" in text.body
    assert "https://example.org/status" in text.body
    assert "code" not in words.to_referrer("requested", "device", "GP-1042", None, None).body
    assert words.to_referrer("accepted", "device", "GP-1042", None, None).subject.startswith("GP-1042: somebody")


def pseudo(folder: Path) -> Path:
    """All words of English, and the same in letters that are written from right to left, what is filled in left out."""
    shutil.copytree(TEMPLATES / "en", folder / "en")
    (folder / PSEUDO).mkdir()
    for path in (folder / "en").glob("*.toml"):
        text = path.read_text().replace('direction = "ltr"', 'direction = "rtl"')
        text = text.partition("# Who referred somebody")[0]
        (folder / PSEUDO / path.name).write_text(WORDS.sub(_mirrored, text))
    return folder


WORDS = re.compile(r'"""\n.*?\n"""|^(?!reviewed|direction)[\w-]+ = "[^"\n]+"$', re.DOTALL | re.MULTILINE)
"""The texts of a file: of many lines, or after the name on a line."""


def _mirrored(found: re.Match[str]) -> str:
    name, equals, words = ("", "", found[0]) if found[0].startswith('"') else found[0].partition(" = ")
    return name + equals + re.sub(r"\{[{%].*?[%}]\}|[A-Za-z]", _letter, words)


def _letter(found: re.Match[str]) -> str:
    text = found[0]
    return text if len(text) > 1 else chr(0x0627 + (ord(text.lower()) - ord("a")) % 20)
