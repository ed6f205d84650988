"""The words of a message, from template files by language: a subject line, an empty line, the text."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.vocabulary import KINDS, Kind, NeedStatus
from services.notifications.domain.telling import TOLD

TEMPLATES = Path(__file__).parents[1] / "templates"
FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Text:
    subject: str
    body: str


class Words:
    """Raises at once, when the service starts, where a template is missing or names what it is not given."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - plain text, not HTML
            trim_blocks=True,
        )
        self.languages = frozenset(each.name for each in folder.iterdir() if each.is_dir())
        for language in sorted(self.languages):
            self._check(language)

    def _check(self, language: str) -> None:
        for status in sorted(TOLD):
            for kind in KINDS:
                self.text(status, kind, language, neutral=False)
            self.text(status, KINDS[0], language, neutral=True)

    def text(self, status: NeedStatus, kind: Kind, language: str, *, neutral: bool) -> Text:
        """A language without templates falls back to English."""
        known = language if language in self.languages else FALLBACK
        name = f"{known}/{status}.neutral.txt" if neutral else f"{known}/{status}.txt"
        given = {} if neutral else {"kind": kind}
        subject, _, body = self._templates.get_template(name).render(given).partition("\n\n")
        return Text(subject.strip(), body.strip() + "\n")
