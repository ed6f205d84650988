"""Freezes what every application of a round is worth to those who wait, when its assessment opens."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from chassis.disclosure import published
from services.grants.domain.duplicates import plain
from services.grants.domain.need import Project, low_reach, weigh
from services.grants.domain.rounds import Round
from services.grants.store import Store
from services.grants.store.assessment import Weight
from services.grants.store.rows import Asked

REFERRALS_OF: Final = timedelta(days=365)


async def freeze(round_: Round, applications: Sequence[Asked], store: Store, at: datetime) -> None:
    low = low_reach(await store.needs.deciles(), await store.needs.referrals_since(at - REFERRALS_OF), published)
    rules, names = round_.rules, await store.needs.partners()
    weights = weigh(
        [project(each, names) for each in applications],
        await store.needs.gaps(),
        low,
        rules.low_reach_floor,
        rules.gap_points,
        published,
    )
    await store.assessment.freeze_weights(
        [
            Weight(each.application.application_id, weight.points, {**asdict(weight), "of": rules.gap_points})
            for each, weight in zip(applications, weights, strict=True)
        ]
    )


def project(asked: Asked, partners: Mapping[str, str]) -> Project:
    """An applicant refers as whom it names, as whom it delivers as, and as the partner of the same name."""
    body = asked.body
    capacity = {help_["kind"]: help_["capacity"] for help_ in body.get("places", ())}
    known_by = plain(body.get("organisation", {}).get("name", ""))
    delivers_as = [body["delivers_as"]["partner"]] if body.get("delivers_as") else []
    same_name = [partner for partner, name in partners.items() if plain(name) == known_by]
    own = frozenset[str]([*body.get("refers_as", ()), *same_name, *delivers_as])
    return Project(body.get("kinds", ()), sorted(asked.stakes.wards), capacity, own)
