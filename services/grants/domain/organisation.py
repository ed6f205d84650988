"""What an organisation is called: its number on a public register, however it was written, or a programme id."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

Register = Literal["GB-CHC", "GB-COH", "GB-SC", "GB-NIC"]
"""The registers of charities in England and Wales, of companies, and of charities in Scotland and Northern Ireland."""

PROGRAMME: Final = "360G-furthest-first-"
"""Starts the ids that we give to groups on no register, as 360Giving asks of publishers."""

_REGISTER_PREFIX: Final = re.compile(r"GB-?(CHC|COH|SC|NIC)(?:[-:_.]+|(?=[0-9O]))")
_ELSEWHERE: Final = re.compile(r"(360G|[A-Z]{2}-[A-Z0-9]+)-[!-~]+")
_OWN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_COMPANY: Final = re.compile(
    r"(AC|BR|CE|CS|FC|FE|GE|GS|IC|IP|LP|N[ACFILOPRVZ]|OC|OE|PC|RC|RS|S[ACEFGILOPRZ]|ZC)([0-9O]{4,6}|[0-9O]{5}R)"
)


@dataclass(frozen=True, slots=True)
class OrganisationId:
    """`id` is the same for everyone who means this organisation; `original` is what they wrote."""

    id: str
    original: str
    register: Register | None = None


def organisation_id(original: str) -> OrganisationId:
    """Reads an id that an organisation or a publisher gave.

    Raises ValueError, with a sentence, where it names a register but holds no number of it, or is no id at all.
    """
    text = _tidy(original)
    register, number = _split(text)
    if register:
        if known := _listed(register, number, original):
            return known
        if ":" not in number:
            raise ValueError(f"This is not a number of the register {register}.")
    return _bare(text, original, ("GB-CHC", "GB-SC", "GB-NIC", "GB-COH")) or _unregistered(original)


def recipient_id(original: str, charity_number: str | None, company_number: str | None) -> OrganisationId:
    """The id of a recipient in published data: its own, else by its charity number, else by its company number.

    An id that cannot be read is kept as it is: the grant was made, whatever was typed.
    """
    try:
        named = organisation_id(original)
    except ValueError:
        named = OrganisationId(original.strip(), original)
    if named.register:
        return named
    by_charity = _number_field(charity_number, original, ("GB-CHC", "GB-SC", "GB-NIC"))
    return by_charity or _number_field(company_number, original, ("GB-COH",)) or named


def known_as(principal: str) -> str:
    """The id of the organisation that a key belongs to."""
    try:
        return organisation_id(principal).id
    except ValueError:
        return principal


def _tidy(text: str) -> str:
    return "".join(text.split()).upper().translate({0x2010: "-", 0x2011: "-", 0x2013: "-", 0x2014: "-"})


def _split(text: str) -> tuple[Register | None, str]:
    """Takes off every register prefix: where there are two, the inner one was there first."""
    register: Register | None = None
    while found := _REGISTER_PREFIX.match(text):
        register = _REGISTERS[found[1]]
        text = text[found.end() :]
    return register, text


def _number_field(text: str | None, original: str, registers: tuple[Register, ...]) -> OrganisationId | None:
    register, number = _split(_tidy(text or ""))
    return _listed(register, number, original) if register else _bare(number, original, registers)


def _listed(register: Register, number: str, original: str) -> OrganisationId | None:
    """Where the register is named, its numbers may come without their letters."""
    return _bare(number, original, (register,)) or _bare(f"{_LETTERS.get(register, '')}{number}", original, (register,))


def _bare(number: str, original: str, registers: tuple[Register, ...]) -> OrganisationId | None:
    for register in registers:
        if known := _NUMBER[register](number):
            return OrganisationId(f"{register}-{known}", original, register)
    return None


def _unregistered(original: str) -> OrganisationId:
    text = original.strip()
    if len(text) <= 100 and _ELSEWHERE.fullmatch(text):
        return OrganisationId(text, original)
    if _OWN_NAME.fullmatch(text):
        return OrganisationId(f"{PROGRAMME}{text.lower()}", original)
    raise ValueError("This is no id of an organisation.")


def _england_and_wales(text: str) -> str | None:
    """Six or seven digits; eight are a company's, whatever they start with."""
    found = re.fullmatch(r"(?:CN)?([0-9O]{6,7})", text)
    digits = found[1].replace("O", "0").lstrip("0") if found else ""
    return digits if len(digits) >= 6 else None


def _scotland(text: str) -> str | None:
    found = re.fullmatch(r"SC([0-9O]{5,6})", text)
    return f"SC{found[1].replace('O', '0').zfill(6)}" if found else None


def _northern_ireland(text: str) -> str | None:
    found = re.fullmatch(r"NIC([0-9O]{6})", text)
    return found[1].replace("O", "0") if found else None


def _company(text: str) -> str | None:
    """Eight digits, or two letters and six: there the letter O may be meant, as in OC301234."""
    if re.fullmatch(r"[0-9O]{6,8}", text):
        return text.replace("O", "0").zfill(8)
    found = _COMPANY.fullmatch(text)
    return found[1] + found[2].replace("O", "0").zfill(6) if found else None


_REGISTERS: Final[dict[str, Register]] = {"CHC": "GB-CHC", "COH": "GB-COH", "SC": "GB-SC", "NIC": "GB-NIC"}
_NUMBER: Final[dict[Register, Callable[[str], str | None]]] = {
    "GB-CHC": _england_and_wales,
    "GB-COH": _company,
    "GB-SC": _scotland,
    "GB-NIC": _northern_ireland,
}
_LETTERS: Final[dict[Register, str]] = {"GB-SC": "SC", "GB-NIC": "NIC"}
