"""Ids that sort by time, and that say the same again when the same cause is read again."""

from datetime import datetime
from hashlib import blake2b
from secrets import token_hex
from typing import Final
from uuid import UUID

_LOW: Final = (1 << 62) - 1


def uuid7(at: datetime, *seed: str) -> UUID:
    """A version 7 UUID (RFC 9562): the milliseconds of `at`, then 74 bits that the seed decides.

    Without a seed the bits are random.
    """
    bits = int.from_bytes(blake2b("\x1f".join(seed or (token_hex(16),)).encode(), digest_size=10).digest(), "big")
    milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | (bits >> 62 & 0xFFF) << 64 | 0b10 << 62 | bits & _LOW)
