"""
PostgreSQL refuses to run as root. Started by root it runs as `nobody`, wherever its files lie.

A checkout or a data directory below a directory of mode 0700 is out of reach for `nobody`. The modes of
other people's directories are not ours to change: of root's rights the process keeps the one to look into
directories or, where a container has not got that, to pass over modes. The weakest that works is found by
trying. (PostgreSQL asks access(2), which looks at such rights only under the securebit set here.)
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.embedded.processes import StartError

USER = "nobody"
RIGHTS: tuple[tuple[str, ...], ...] = ((), ("dac_read_search",), ("dac_override",))
TRIAL = 'cd "$1" && exec "$2" --show -D "$1"'


def prefix(initdb: Path, home: Path) -> list[str]:
    """
    Return what goes before a command line so that it does not run as root: nothing when we are not root.

    `home` is given to the user. Raises StartError when PostgreSQL cannot run so.
    """
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(USER)
    os.chown(home, user.pw_uid, user.pw_gid)
    problems = []
    for rights in RIGHTS:
        command = _drop(user, rights)
        problem = _problem([*command, "sh", "-c", TRIAL, "sh", str(home), str(initdb)])
        if not problem:
            return command
        problems.append(problem)
    raise StartError(
        f"PostgreSQL may not run as root; as {USER} it cannot use {initdb.parent} or {home}: {problems[0]} "
        "Run this as an ordinary user, or move the checkout and --dir to a place everyone may enter."
    )


def _drop(user: pwd.struct_passwd, rights: Sequence[str]) -> list[str]:
    drop = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--no-new-privs"]
    keep = ",".join(f"+{right}" for right in rights)
    kept = ["--securebits=+no_setuid_fixup", f"--inh-caps={keep}", f"--ambient-caps={keep}"]
    return [*drop, *kept] if rights else drop


def _problem(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"
