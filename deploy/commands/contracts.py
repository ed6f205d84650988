"""`furthest contracts`: what messages promise."""

import json
from pathlib import Path
from typing import Annotated

import typer

from contracts import asyncapi, freeze
from contracts.message import MESSAGES
from deploy.console import AsJson, err, out, show
from deploy.errors import DeployError

app = typer.Typer(no_args_is_help=True, help="What messages promise, and whether it is kept.")


def _tell(lines: list[str]) -> None:
    for line in lines:
        err.print(line, highlight=False, markup=False)


@app.command("freeze")
def freeze_messages(as_json: AsJson = False) -> None:
    """Freeze new messages, and changes of messages that break no reader. Exit code 1 where one breaks a reader."""
    try:
        frozen, problems = freeze.freeze(), list[str]()
    except freeze.Changed as changed:
        frozen, problems = [], changed.lines

    def human() -> None:
        _tell(problems)
        for name in frozen:
            out.print(f"Froze {name}", highlight=False)
        if not frozen and not problems:
            out.print(f"All {len(MESSAGES)} messages were frozen before.")

    show({"frozen": frozen, "problems": problems}, as_json, human)
    if problems:
        raise typer.Exit(1)


@app.command("check")
def check_messages(as_json: AsJson = False) -> None:
    """Check every message against all that was ever frozen of it. Exit code 1 with a sentence for each problem."""
    problems = freeze.check()

    def human() -> None:
        _tell(problems)
        if not problems:
            out.print(f"All {len(MESSAGES)} messages keep what they promise.")

    show({"messages": len(MESSAGES), "problems": problems}, as_json, human)
    if problems:
        raise typer.Exit(1)


@app.command("asyncapi")
def write_asyncapi(
    file: Annotated[Path | None, typer.Option("--out", help="Write it to this file.")] = None, as_json: AsJson = False
) -> None:
    """Print the AsyncAPI document: every topic and message, with owner, readers, key, retention and personal data."""
    document = asyncapi.document()
    if file is None:
        show(document, True, lambda: None)
        return
    try:
        file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise DeployError(f"{file} cannot be written ({error.strerror}): name another file.") from error
    seen = {"file": str(file), "messages": len(document["components"]["messages"])}
    show(seen, as_json, lambda: out.print(f"{seen['messages']} messages are described in {file}."))
