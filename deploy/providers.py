"""Puts the providers of a directory through matching's door, with the key of the partner that speaks for them."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from contracts.door import ProviderUpdated
from deploy import oruk
from deploy.desk import Desk, desk
from deploy.errors import DeployError
from deploy.provision import partners_of
from deploy.site import Site

FILE_AT_MOST: Final = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many providers were taken, what matching refused, and what the file had wrong."""

    loaded: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    faults: list[oruk.Fault] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.refused and not self.faults

    def document(self) -> dict[str, Any]:
        return asdict(self)


def load(file: Path, partner: str, site: Site) -> Loaded:
    """May be repeated: a provider is replaced by what the file says. Raises DeployError."""
    if partner not in partners_of(site.admin()):
        raise DeployError(f"There is no partner {partner} here. Add it with: furthest partner add {partner}")
    directory = _read(file)
    with desk(site, "matching", "partner", partner) as matching:
        answers = [(provider.provider_id, _put(provider, matching)) for provider in directory.providers]
    refused = [{"provider_id": id_, "errors": errors} for id_, errors in answers if errors]
    return Loaded(len(answers) - len(refused), refused, directory.faults)


def _put(provider: ProviderUpdated, matching: Desk) -> list[dict[str, Any]]:
    """What was wrong with it; nothing where it was taken. Raises DeployError."""
    body = provider.model_dump(mode="json", exclude={"provider_id"})
    response = matching.ask("PUT", f"/v1/providers/{provider.provider_id}", body)
    if response.status_code == 422:
        errors: list[dict[str, Any]] = response.json()["errors"]
        return errors
    if response.status_code != 202:
        raise DeployError(f"matching answered {response.status_code}. Look at: furthest status")
    return []


def _read(file: Path) -> oruk.Directory:
    try:
        if file.stat().st_size > FILE_AT_MOST:
            raise DeployError(f"{file} is larger than {FILE_AT_MOST >> 20} MiB. Load it in parts.")
        return oruk.parse(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError(f"{file} cannot be read ({type(error).__name__}); nothing was changed.") from error
    except ValueError as error:
        raise DeployError(f"{file} cannot be loaded; nothing was changed. {error}") from error
