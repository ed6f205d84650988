"""The words of every message, without any server."""

import re
from pathlib import Path
from typing import get_args

import pytest
from jinja2 import UndefinedError

from contracts.vocabulary import KINDS, NeedStatus
from services.notifications.clients.words import Words
from services.notifications.domain.telling import TOLD

TELLING = re.compile(
    r"device|internet|online|digital|skill|champion|referr|device|laptop|tablet|sim\b|course|programme|leeds|help",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def words() -> Words:
    return Words()


@pytest.mark.parametrize("status", sorted(TOLD))
@pytest.mark.invariant(5)
def test_neutral_words_say_nothing_of_the_kind_or_the_programme(words: Words, status: NeedStatus) -> None:
    texts = {words.text(status, kind, "en", neutral=True) for kind in KINDS}
    assert len(texts) == 1
    (text,) = texts
    assert not TELLING.search(text.subject + text.body)


@pytest.mark.parametrize("status", sorted(TOLD))
def test_plain_words_name_the_kind(words: Words, status: NeedStatus) -> None:
    texts = {kind: words.text(status, kind, "en", neutral=False) for kind in KINDS}
    assert len({text.body for text in texts.values()}) == len(KINDS)
    for text in texts.values():
        assert text.subject
        assert "\n" not in text.subject
        assert "{" not in text.body
        assert text.body.startswith("Hello,")


def test_a_language_without_words_falls_back_to_english(words: Words) -> None:
    assert words.text("accepted", "device", "ur", neutral=False) == words.text(
        "accepted", "device", "en", neutral=False
    )


def test_a_template_that_names_what_it_is_not_given_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    for status in get_args(NeedStatus):
        for name in (f"{status}.txt", f"{status}.neutral.txt"):
            (tmp_path / "en" / name).write_text("Subject\n\nHello, {{ name }}")
    with pytest.raises(UndefinedError):
        Words(tmp_path)
