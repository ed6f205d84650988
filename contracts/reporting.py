"""What the reporting service publishes for everybody who subscribes."""

from typing import Literal

from contracts.erasure import Confirmation
from contracts.message import Message, Part, fact
from contracts.topics import ERASURES
from contracts.vocabulary import When


class Cell(Part):
    """One published count. `count` is none where 1 to 7 people are hidden; others are rounded to 5."""

    status: str | None = None
    kind: str | None = None
    area: str | None = None
    count: int | None


@fact("reporting", key="name", data_class="none")
class MetricPublished(Message):
    """A table of counts that is safe to publish, replaced as a whole by the next of the same name."""

    name: str
    measure: Literal["needs-by-status", "needs-by-kind", "needs-by-ward"]
    period: str
    as_of: When
    cells: list[Cell]

    example = {
        "name": "needs-by-status/all",
        "measure": "needs-by-status",
        "period": "all",
        "as_of": "2026-11-20T10:00:00Z",
        "cells": [{"status": "on-hold", "count": 15}, {"status": "failed", "count": None}],
    }


@fact("reporting", key="referral_id", to=("referrals",), topic=ERASURES)
class ErasureConfirmed(Confirmation):
    """Reporting has forgotten a referral, but for the kind, area, status and times that it counts."""
