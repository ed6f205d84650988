"""What may be attached to an application: a few kinds of documents, small, and what they say they are."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Final
from zipfile import BadZipFile, ZipFile

from contracts.refusal import FieldError

AT_MOST_BYTES: Final = 5 * 1024 * 1024
AT_MOST: Final = 5
"""Of one application."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,95}\.([a-z]{3,4})")


def media_type_of(name: str, content: bytes) -> str | FieldError:
    """What the file is, by its content, where that is what its name says."""
    found = _NAME.fullmatch(name)
    if found is None:
        return _NAMES
    kind = _KINDS.get(found[1])
    if kind is None:
        return _TYPES
    if not 0 < len(content) <= AT_MOST_BYTES:
        return TOO_LARGE
    media_type, is_one = kind
    return media_type if is_one(content) else _OTHER


def _starts(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(magic)


def _zipped(member: str) -> Callable[[bytes], bool]:
    def check(content: bytes) -> bool:
        try:
            with ZipFile(BytesIO(content)) as archive:
                return member in archive.namelist()
        except BadZipFile:
            return False

    return check


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode()
    except UnicodeDecodeError:
        return False


_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_KINDS: Final[dict[str, tuple[str, Callable[[bytes], bool]]]] = {
    "pdf": ("application/pdf", _starts(b"%PDF-")),
    "png": ("image/png", _starts(b"\x89PNG\r\n\x1a\n")),
    "jpg": ("image/jpeg", _starts(b"\xff\xd8\xff")),
    "jpeg": ("image/jpeg", _starts(b"\xff\xd8\xff")),
    "docx": (f"{_OFFICE}.wordprocessingml.document", _zipped("word/document.xml")),
    "xlsx": (f"{_OFFICE}.spreadsheetml.sheet", _zipped("xl/workbook.xml")),
    "odt": ("application/vnd.oasis.opendocument.text", _zipped("content.xml")),
    "csv": ("text/csv", _is_text),
    "txt": ("text/plain", _is_text),
}
_NAMES: Final = FieldError(
    field="name",
    rule="file-name",
    message="The name of a file is letters, digits, spaces, dots and dashes, and ends with its type.",
    mend="Name it such as accounts-2025.pdf.",
)
_TYPES: Final = FieldError(
    field="name",
    rule="file-type",
    message="Files of this type are not taken.",
    mend=f"Attach one of these: {', '.join(_KINDS)}.",
)
TOO_LARGE: Final = FieldError(
    field="(file)",
    rule="file-size",
    message=f"A file has 1 byte to {AT_MOST_BYTES >> 20} MiB.",
    mend="Make it smaller, or attach it in parts.",
)
TOO_MANY: Final = FieldError(
    field="(file)",
    rule="too-many",
    message=f"An application has at most {AT_MOST} files.",
    mend="Put one in the place of another: give it that name.",
)
_OTHER: Final = FieldError(
    field="(file)",
    rule="file-content",
    message="The file is not what its name says.",
    mend="Attach the document itself, under the type that it has.",
)
