"""Runs every command of docs/ops as it is written, page by page, in deploy/, against a deployment that runs.

By itself: COMPOSE_PROJECT_NAME=... python -m tests.compose.pages [PAGE ...], with the ports of .env.example set.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "ops"
BLOCK_WITHIN: Final = 400.0
BLOCK: Final = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"\]\(([a-z-]+\.md)\)")
"""Every page is named by README.md, and they are run in its order."""

Report = Callable[[str], None]


class PageError(Exception):
    """A command of a page failed; the message holds the command and what it said."""


@dataclass(frozen=True, slots=True)
class Block:
    page: str
    line: int
    text: str

    def run(self, environment: Mapping[str, str]) -> None:
        """Raises PageError."""
        words = ["bash", "-euo", "pipefail", "-c", self.text]
        try:
            done = subprocess.run(
                words,
                cwd=ROOT / "deploy",
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=BLOCK_WITHIN,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PageError(self._told(f"did not end within {BLOCK_WITHIN:g} s", error.stdout or b"")) from None
        if done.returncode:
            raise PageError(self._told(f"ended with {done.returncode}", done.stdout))

    def _told(self, how: str, output: bytes) -> str:
        said = output.decode(errors="replace")[-3000:]
        return (
            f"docs/ops/{self.page}, line {self.line}: this {how}:\n{self.text}\nIt said:\n{said}\n"
            "Mend the page or what it runs, then: python -m tests.compose.pages " + self.page
        )


def pages() -> list[str]:
    return list(dict.fromkeys(LINK.findall((FOLDER / "README.md").read_text(encoding="utf-8"))))


def blocks(page: str) -> Iterator[Block]:
    text = (FOLDER / page).read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        yield Block(page, text.count("\n", 0, found.start()) + 2, found[1])


def run(environment: Mapping[str, str], report: Report, chosen: Sequence[str] = ()) -> int:
    """How many blocks were run. Raises PageError with the first that fails; what pages leave in deploy/ goes."""
    settings = ROOT / "deploy" / ".env"
    had_settings, number = settings.exists(), 0
    try:
        for page in chosen or pages():
            began, those = time.monotonic(), list(blocks(page))
            for block in those:
                block.run(environment)
            number += len(those)
            report(f"docs/ops/{page}: {len(those)} blocks, {time.monotonic() - began:.0f} s")
    finally:
        if not had_settings:
            settings.unlink(missing_ok=True)
    return number


def main() -> int:
    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is a program

    try:
        run({}, report, sys.argv[1:])
    except PageError as error:
        report(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
