"""The words of a message, from a file for each language and reading level: `templates/<language>/<level>.toml`."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from jinja2 import Environment, StrictUndefined, Template

from chassis.logs import logger
from contracts.contacting import Asked
from contracts.vocabulary import KINDS, Channel, Kind
from services.notifications.clients import applicants
from services.notifications.clients.grants import Applicant
from services.notifications.domain.digest import Digest
from services.notifications.domain.sms import fits, parts
from services.notifications.domain.telling import AGAIN, TOLD, TellApplicant

log = logger("words")

TEMPLATES: Final = Path(__file__).parents[1] / "templates"
FALLBACK: Final = "en"
Level = Literal["plain", "easy"]
Form = Literal["subject", "body", "sms"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)
_EMPTY: Final = re.compile(r"\n{3,}")

ASKED: Final = tuple(f"feedback-{asked}" for asked in get_args(Asked))
ABOUT: Final = (*sorted(TOLD), AGAIN, *ASKED)
NEUTRAL: Final[Mapping[str, str]] = {
    "on-hold": "waiting",
    AGAIN: AGAIN,
    "accepted": "good-news",
    **dict.fromkeys(("completed", "failed", "cancelled", "rejected"), "closed"),
    **dict.fromkeys(ASKED, "question"),
}
"""Neutral words do not tell endings apart, nor what it is about."""


EASY: Final = frozenset({"easy-read", "bsl"})
"""Who reads with these needs is written to in Easy Read: for those who sign, English is a second language."""


class BadWords(Exception):
    """A file of words cannot be used; the sentence says which, and why."""


@dataclass(frozen=True, slots=True)
class Text:
    """What is sent: `body` by email, on paper and by voice, `sms` as a text message."""

    subject: str
    body: str
    sms: str = ""
    language: str = FALLBACK
    right_to_left: bool = False

    def by(self, channel: Channel) -> str:
        return self.sms if channel == "sms" else self.body


@dataclass(frozen=True, slots=True)
class Book:
    """All words of a language at one level."""

    language: str
    right_to_left: bool
    hello: str
    fallback: str
    kinds: Mapping[Kind, str]
    statuses: Mapping[str, str]
    reasons: Mapping[str, str]
    texts: Mapping[str, Mapping[Form, Template]]

    def text(self, key: str, given: Mapping[str, Any], *, sorry: bool, signed: str | None = None) -> Text:
        said = {form: _EMPTY.sub("\n\n", self.texts[key][form].render(given).strip()) for form in FORMS}
        fallback = [self.fallback] if sorry else []
        lines = [self.hello, said["body"], *fallback, *([signed] if signed else [])]
        sms = " ".join([said["sms"], *fallback])
        return Text(said["subject"], "\n\n".join(lines) + "\n", sms, self.language, self.right_to_left)


@dataclass(slots=True)
class Words:
    """Raises BadWords at once, when the service starts, where words are missing or name what they are not given.

    What nobody has reviewed is not used.
    """

    folder: Path = TEMPLATES
    signature: str | None = None
    """Who writes, at the end of what is no text message; neutral words do not say."""
    books: dict[tuple[str, Level], Book] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in sorted(self.folder.glob("*/*.toml")):
            language, level = path.parent.name, path.stem
            if level not in get_args(Level):
                raise BadWords(f"{language}/{path.name}: there is no such reading level")
            if book := _open(path, language):
                self.books[language, level] = book  # type: ignore[index]  # one of them, as was just looked
        if (FALLBACK, "plain") not in self.books:
            raise BadWords(f"{FALLBACK}/plain.toml is missing, or nobody has reviewed it")

    def text(
        self,
        about: str,
        kind: Kind,
        languages: Sequence[str] = (),
        *,
        neutral: bool,
        easy: bool = False,
        link: str | None = None,
    ) -> Text:
        """In the first of their languages that there are words in, else in English, and says so there.

        Neutral words do not: somebody else may read them.
        """
        known = next((each for each in languages if (each, "plain") in self.books), None)
        if languages and known is None:
            log.warning("language_not_written", language=languages[0], about=about)
        book = self._book(known or FALLBACK, easy=easy)
        if neutral:
            return book.text(f"neutral.{NEUTRAL[about]}", {}, sorry=False)
        given = {"kind": book.kinds[kind], "link": link}
        return book.text(about, given, sorry=bool(languages) and known is None, signed=self.signature)

    def to_referrer(self, status: str, kind: Kind, reference: str, code: str | None, link: str | None) -> Text:
        """A referrer at work is written to in English."""
        book = self.books[FALLBACK, "plain"]
        key = f"referrer.{'received' if status == 'requested' else 'changed'}"
        given = {"kind": book.kinds[kind], "status": book.statuses[status], "reference": reference}
        return book.text(key, {**given, "code": code, "link": link}, sorry=False, signed=self.signature)

    def to_provider(self, digest: Digest) -> Text:
        given = {"offers": digest.offers, "first": f"{digest.first.day} {digest.first:%B}"}
        return self.books[FALLBACK, "plain"].text("provider.digest", given, sorry=False, signed=self.signature)

    def to_applicant(self, tell: TellApplicant, contact: Applicant) -> Text:
        """An organisation at work is written to in English. `contact` has its standing: else there is no letter."""
        assert contact.standing  # noqa: S101 - what lacks it is withheld
        book = self.books[FALLBACK, "plain"]
        given = applicants.given(tell, contact.standing, book.reasons)
        return book.text(f"applicant.{tell.about}", given, sorry=False, signed=self.signature)

    def _book(self, language: str, *, easy: bool) -> Book:
        return self.books.get((language, "easy" if easy else "plain")) or self.books[language, "plain"]


def _open(path: Path, language: str) -> Book | None:
    """None where it was not reviewed. Raises BadWords."""
    name = f"{language}/{path.name}"
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadWords(f"{name} cannot be read: {error}") from None
    if not read.get("reviewed"):
        log.warning("words_not_reviewed", file=name)
        return None
    try:
        book = _book(read, language)
        _try_all(book)
    except KeyError as error:
        raise BadWords(f"{name} lacks {error}") from None
    except Exception as error:
        raise BadWords(f"{name}: {error}") from error
    return book


def _book(read: dict[str, Any], language: str) -> Book:
    environment = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)  # noqa: S701 - plain text
    sections = {about: read[about] for about in ABOUT}
    sections |= {f"neutral.{each}": read["neutral"][each] for each in sorted(set(NEUTRAL.values()))}
    if "referrer" in read:
        sections |= {f"referrer.{each}": section for each, section in read["referrer"].items()}
        sections["provider.digest"] = read["provider"]["digest"]
        sections |= {f"applicant.{about}": read["applicant"][about] for about in applicants.ABOUT}
    texts = {key: {form: environment.from_string(section[form]) for form in FORMS} for key, section in sections.items()}
    kinds = {kind: read["kinds"][kind] for kind in KINDS}
    statuses, reasons = read.get("statuses", {}), read.get("reasons", {})
    return Book(language, read["direction"] == "rtl", read["hello"], read["fallback"], kinds, statuses, reasons, texts)


def _choices(book: Book, key: str, link: str) -> list[dict[str, Any]]:
    if key.startswith("neutral."):
        return [{}]
    if key.startswith("provider."):
        return [{"offers": offers, "first": "27 November"} for offers in (1, 2)]
    if key.startswith("applicant."):
        those = applicants.samples()
        return [applicants.given(*each, book.reasons) for each in those if f"applicant.{each[0].about}" == key]
    own = [{"kind": book.kinds[kind], "link": each} for kind in KINDS for each in (None, link)]
    if not key.startswith("referrer."):
        return own
    return [
        {**given, "status": status, "reference": "GP-1042", "code": code}
        for given in own
        for status in book.statuses.values()
        for code in (None, "ABCDE-FGHJK")
    ]


def _try_all(book: Book) -> None:
    """Every text with everything that it may be given."""
    link = "https://referrals.example.org/l/" + "x" * 22
    for key in book.texts:
        for given in _choices(book, key, link):
            text = book.text(key, given, sorry=True)
            if not text.subject or "\n" in text.subject or text.sms.strip() == book.fallback:
                raise BadWords(f"[{key}] needs a subject of one line, and words for a text message")
            if not fits(text.sms):
                raise BadWords(f"[{key}] sms is too long, {parts(text.sms)} parts, with {given}")
