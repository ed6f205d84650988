"""The edge leads every door that is meant for outside to the service that has it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from chassis.service import Running
from contracts.message import SERVICES
from tests.built import built

EDGE = Path(__file__).parents[2] / "deploy" / "compose" / "edge.conf"
LOCATION = re.compile(r"location (=|\^~|~|) ?(\S+)\s+\{[^}]*?proxy_pass \$(\w+);", re.DOTALL)
INSIDE = {("matching", "/v1/queue"), ("matching", "/v1/gaps"), ("matching", "/v1/decisions/{offer_id}")}
"""What shows the whole waiting list: staff look at it from inside."""
EXACT, PREFIX = "=", "^~"


def leads_to(path: str) -> str | None:
    """As nginx chooses: an exact location, one that ends the search, then the first expression that matches."""
    found = LOCATION.findall(EDGE.read_text())
    exact = [to for kind, pattern, to in found if kind == EXACT and pattern == path]
    prefix = [to for kind, pattern, to in found if kind == PREFIX and path.startswith(pattern)]
    matching = [to for kind, pattern, to in found if kind == "~" and re.search(pattern, path)]
    return next(iter([*exact, *prefix, *matching]), None)


def doors(service: Any) -> Iterator[str]:
    class Anything:
        def __getattr__(self, _name: str) -> Any:
            return self

        def __call__(self, *_args: Any, **_named: Any) -> Any:
            return self

    wired = built(service)
    for router in wired.routers(cast("Running", Anything())):
        yield from (route.path for route in router.routes if hasattr(route, "path"))


@pytest.mark.parametrize("service", SERVICES)
def test_every_door_for_outside_is_at_the_edge_and_no_other(service: str) -> None:
    for path in sorted(set(doors(service))):
        leads_here = leads_to(re.sub(r"\{[^}]+\}", "x1", path)) == service
        assert leads_here != ((service, path) in INSIDE), path


@pytest.mark.parametrize(
    "path", ["/metrics", "/ready", "/docs", "/openapi.json", "/v1/queue", "/v1/contacts", "/v1/applicant-contacts"]
)
def test_what_is_for_inside_is_not_there(path: str) -> None:
    assert leads_to(path) is None
