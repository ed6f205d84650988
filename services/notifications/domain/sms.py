"""How many parts a text message has: 160 characters of the GSM alphabet (GSM 03.38), 70 of any other, fewer in many."""

from typing import Final

GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE: Final = frozenset("^{}\\[~]|€")
"""These take two places."""


def is_gsm(text: str) -> bool:
    return set(text) <= GSM | GSM_TWICE


def fits(text: str) -> bool:
    """Two parts at most; in another alphabet five, which are as long."""
    return parts(text) <= (2 if is_gsm(text) else 5)


def parts(text: str) -> int:
    if is_gsm(text):
        return _cut(sum(2 if character in GSM_TWICE else 1 for character in text), 160, 153)
    return _cut(len(text.encode("utf-16-be")) // 2, 70, 67)


def _cut(length: int, alone: int, of_many: int) -> int:
    return 1 if length <= alone else -(-length // of_many)
