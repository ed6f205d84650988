"""`furthest bounces`: a mail that came back is told to the notifications service."""

import sys

from deploy.commands.calls import KeyFile, ask
from deploy.console import DEFAULT_DIR, AsJson, Dir, out, show

NOT_OURS = {404, 422}


def bounces(key_file: KeyFile = None, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Read a mail server's report on a mail that could not be delivered, from standard input.

    What is no such report, or of no mail of ours, is passed over: a mail server may give it everything.
    """
    response = ask(dir, key_file, "POST", "/v1/bounces", passed=NOT_OURS, content=sys.stdin.buffer.read())
    recorded = response.status_code == 204
    said = "Recorded." if recorded else "Passed over: it does not say that a mail of ours failed."
    show({"recorded": recorded}, as_json, lambda: out.print(said))
