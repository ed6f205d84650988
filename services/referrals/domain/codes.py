"""Status codes: ten characters that can be told by phone. None of them is taken for another."""

from collections.abc import Iterable
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH: Final = 10


def code_of(bits: Iterable[int]) -> str:
    """From random numbers, 5 bits of each are used."""
    return "".join(ALPHABET[each % 32] for each in bits)[:LENGTH]


def grouped(code: str) -> str:
    return f"{code[:5]}-{code[5:]}"


def plain(typed: str) -> str:
    """As it was made, however it was typed."""
    return "".join(character for character in typed.upper() if character.isalnum())[: LENGTH + 1]


def is_code(code: str) -> bool:
    return len(code) == LENGTH and set(code) <= set(ALPHABET)
