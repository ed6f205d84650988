"""Every message as it is sent, to be looked at: `python -m tests.notifications.show FOLDER`.

For each language and reading level a text with every email and text message, and a picture of each letter.
"""

import argparse
from pathlib import Path

import typst

from services.notifications.clients.letters import FONTS, LETTER, _data
from services.notifications.clients.words import ABOUT, Text, Words, _choices
from services.notifications.domain.sms import parts
from tests.support import NOON

ADDRESS = ("Example Person", "12 Example Street", "Leeds", "LS9 6AB")
LINK = "https://referrals.example.org/l/AAAAAAAAAAAAAAAAAAAAAA"
SIGNATURE = "Digital help in Leeds, 0113 000 0000"
DPI = 60.0


def show(folder: Path) -> None:
    words = Words(signature=SIGNATURE)
    for (language, level), book in words.books.items():
        at_work = [key for key in book.texts if key.startswith(("referrer.", "provider.", "applicant."))]
        shown = [_mail(key, book.text(key, _choices(book, key, LINK)[-1], sorry=False)) for key in at_work]
        for about in ABOUT:
            for neutral in (False, True):
                text = words.text(about, "device", [language], neutral=neutral, easy=level == "easy", link=LINK)
                name = f"{language}-{level}-{about}{'-neutral' if neutral else ''}"
                shown.append(_mail(name, text))
                _letter(folder / f"{name}.png", text, ("easy-read",) if level == "easy" else ())
                _letter(folder / f"{name}-large-print.png", text, ("large-print",))
        (folder / f"{language}-{level}.txt").write_text("\n".join(shown), encoding="utf-8")


def _mail(name: str, text: Text) -> str:
    return f"== {name}\nSubject: {text.subject}\n\n{text.body}\nText message ({parts(text.sms)} parts): {text.sms}\n"


def _letter(path: Path, text: Text, needs: tuple[str, ...]) -> None:
    inputs = {"data": _data(text, ADDRESS, needs, NOON)}
    path.write_bytes(typst.compile(LETTER, format="png", ppi=DPI, font_paths=FONTS, sys_inputs=inputs))


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    given = asked.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    show(given.folder)
