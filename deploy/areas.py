"""Areas as the referrals service is told of them."""

from pathlib import Path

from services.referrals.domain.areas import parse
from services.referrals.handlers.partners import LoadAreas

DEFAULT = Path(__file__).with_name("data") / "leeds_wards.csv"
DEFAULT_VERSION = "Leeds wards of 2025, Indices of Deprivation 2025"


def read(path: Path, version: str | None = None) -> LoadAreas:
    """Raises OSError, UnicodeDecodeError and BadAreas."""
    return LoadAreas(version=version or path.name, areas=parse(path.read_text(encoding="utf-8-sig")))


def default() -> LoadAreas:
    """The 33 wards of Leeds, with the mean deprivation decile of their small areas."""
    return read(DEFAULT, DEFAULT_VERSION)
