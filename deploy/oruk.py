"""Providers from an Open Referral UK 3.0 directory: a record or a page of organisations or services, as JSON.

A provider is the organisation that gives a service, or the service itself where it names none. Services of
one organisation become one provider that speaks the languages of all of them.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from contracts.door import ProviderUpdated
from contracts.vocabulary import Code, Language, ShortText, fits

NAME_AT_MOST: Final = 200
LANGUAGES_AT_MOST: Final = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the record at a position, counted from 1, and whether it was left out for that.

    It names the field and never holds the value.
    """

    position: int
    field: str
    message: str
    left_out: bool = True


@dataclass(slots=True)
class Directory:
    providers: list[ProviderUpdated] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class _Found:
    """An organisation as far as it was read: its name and languages, in the order of their first mention."""

    name: str
    languages: dict[str, None] = field(default_factory=dict)


class _Bad(Exception):
    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.field = name
        self.message = message


def parse(text: str) -> Directory:
    """Raises ValueError, whose text says what to send, where the whole cannot be read."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError("It is nested too deeply to be a directory.") from None
    except ValueError:
        raise ValueError("It is not JSON. Save one answer of the directory's API, such as /services.") from None
    directory, found = Directory(), dict[str, _Found]()
    for position, record in enumerate(_records(document), 1):
        try:
            directory.faults += _take(record, position, found)
        except _Bad as bad:
            directory.faults.append(Fault(position, bad.field, bad.message))
    directory.providers = [
        ProviderUpdated(provider_id=id_, name=one.name, languages=list(one.languages)[:LANGUAGES_AT_MOST])
        for id_, one in found.items()
    ]
    return directory


def _records(document: Any) -> Sequence[Any]:
    if isinstance(document, dict) and isinstance(document.get("contents"), list):
        records: list[Any] = document["contents"]
        return records
    if isinstance(document, list):
        return document
    if isinstance(document, dict) and ("id" in document or "service" in document):
        return [document]
    raise ValueError("It holds no service or organisation. Save one answer of the directory's API, such as /services.")


def _take(record: Any, position: int, found: dict[str, _Found]) -> Iterator[Fault]:
    """Adds what a record tells to what was found. Raises _Bad before anything is added."""
    path, service = "", _object(record, "")
    if isinstance(service.get("service"), dict):
        path, service = "service.", service["service"]
    own = service.get("organization")
    place, organisation = (f"{path}organization.", _object(own, f"{path}organization")) if own else (path, service)
    id_, name = _provider_id(organisation, place), _name(organisation, place)
    provider = found.setdefault(id_, _Found(name))
    return _add_languages(provider, _languages(service, path), position)


def _add_languages(provider: _Found, told: Iterator[tuple[str, str]], position: int) -> Iterator[Fault]:
    for where, code in told:
        tag = _tag(code)
        if tag:
            provider.languages[tag] = None
        else:
            yield Fault(position, where, "It is no BCP 47 tag such as en or pt-BR: left out.", left_out=False)


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Bad(place.rstrip(".") or "(record)", "It is not an object.")
    return value


def _provider_id(organisation: dict[str, Any], place: str) -> str:
    """The directory's id; one that no Code can be is made fit, with a fingerprint that keeps it apart."""
    given = organisation.get("id")
    if not isinstance(given, str) or not given.strip():
        raise _Bad(f"{place}id", "It is missing, or not text.")
    if fits(Code, given):
        return given
    fit = re.sub(r"[^A-Za-z0-9]+", "-", given).strip("-")[:50]
    fingerprint = sha256(given.encode(errors="surrogatepass")).hexdigest()[:12]
    return f"{fit or 'id'}-{fingerprint}"


def _name(organisation: dict[str, Any], place: str) -> str:
    given = organisation.get("name")
    name = " ".join(given.split())[:NAME_AT_MOST].rstrip() if isinstance(given, str) else ""
    if not name:
        raise _Bad(f"{place}name", "It is missing, or not text.")
    if not fits(ShortText, name):
        raise _Bad(f"{place}name", "It holds characters that nobody can read.")
    return name


def _languages(record: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Each language code given and where it stands: of a service, or of the services of an organisation."""
    inner = ((f"{path}services.{nth}.", service) for nth, service in enumerate(_list(record.get("services"))))
    for place, service in ((path, record), *inner):
        for nth, language in enumerate(_list(service.get("languages") if isinstance(service, dict) else None)):
            code = language.get("code") if isinstance(language, dict) else None
            if isinstance(code, str) and code.strip():
                yield f"{place}languages.{nth}.code", code


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _tag(code: str) -> str | None:
    first, *rest = code.strip().replace("_", "-").split("-")
    tag = "-".join((first.lower(), *rest))
    return tag if fits(Language, tag) else None
