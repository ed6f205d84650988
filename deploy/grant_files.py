"""Files that the commands of grants read."""

import json
from pathlib import Path
from typing import Any

from deploy.errors import DeployError


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file. Raises DeployError."""
    try:
        read = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DeployError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise DeployError(f"{file} is no JSON; nothing was changed.") from error
    return read if isinstance(read, dict) else {}
