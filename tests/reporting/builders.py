"""Facts, valid by default, and the service as tests build it."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from pydantic import SecretStr

from chassis.facts import Later, Said
from chassis.service import Service
from contracts.message import Message
from contracts.referrals import AreasLoaded, NeedStatusChanged, ReferralReceived
from contracts.reporting import MetricPublished
from contracts.vocabulary import Kind, NeedStatus
from services.reporting.domain import periods
from services.reporting.handlers.publishing import MakeTables, PublishMetrics
from services.reporting.service import build
from services.reporting.settings import ReportingSettings
from tests.support import Stage, said

M = TypeVar("M", bound=Message)

MONTH, YEAR = "2026-11", "2026-27-to-2026-11"
"""That of noon, and the financial year up to its end."""
GIPTON, ARMLEY = "E05011400", "E05011387"


PROJECTIONS = (
    "partner",
    "area",
    "referral",
    "need",
    "provider",
    "place",
    "offer",
    "support",
    "stall",
    "direct_help",
    "loan",
    "escalation",
    "gap",
    "notification",
    "feedback",
    "fund",
    "grant_round",
    "application",
)


def reporting() -> Service:
    settings = ReportingSettings(
        database_host="",
        database_name="",
        database_user="",
        database_password=SecretStr(""),
        kafka_bootstrap="",
        kafka_user="",
        kafka_password=SecretStr(""),
        http_port=0,
        sealing_key=SecretStr("00" * 32),
        publish_every_seconds=2,
    )
    return build(settings)


def a(model: type[M], **fields: Any) -> M:
    """The example of a message, with these fields instead."""
    return model.model_validate({**model.example, **fields})


def referral_id(number: int) -> UUID:
    return UUID(int=number << 16)


def need_id(number: int, nth: int = 0) -> UUID:
    return UUID(int=number << 16 | 1 + nth)


def ids(number: int) -> dict[str, UUID]:
    return {"referral_id": referral_id(number), "need_id": need_id(number)}


def received(number: int, kinds: Sequence[Kind] = ("device",), area: str = GIPTON, **fields: Any) -> ReferralReceived:
    needs = [{"need_id": need_id(number, nth), "kind": kind} for nth, kind in enumerate(kinds)]
    return a(ReferralReceived, referral_id=referral_id(number), area=area, ward=None, needs=needs, **fields)


def moved(
    number: int, status: NeedStatus, nth: int = 0, kind: Kind = "device", area: str = GIPTON, **fields: Any
) -> NeedStatusChanged:
    return a(
        NeedStatusChanged,
        referral_id=referral_id(number),
        need_id=need_id(number, nth),
        status=status,
        kind=kind,
        area=area,
        **fields,
    )


def areas(**names: str) -> AreasLoaded:
    return a(AreasLoaded, areas=[{"code": code, "name": name, "decile": 1, "step": 10} for code, name in names.items()])


async def dump(stage: Stage) -> dict[str, list[dict[str, Any]]]:
    return {table: await stage.rows(f"select * from {table} order by 1, 2") for table in PROJECTIONS}  # noqa: S608 - a name of ours


async def empty(stage: Stage) -> None:
    """Forgets everything, as before the log is read anew."""
    for table in PROJECTIONS:
        await stage.rows(f"delete from {table}")  # noqa: S608 - a name of ours
    await stage.rows("delete from edition")
    await stage.rows("update publication set due_at = null")


async def published(stage: Stage) -> list[Said]:
    """Everything that is said when something is to be published, but for the steps in between."""
    told: list[Said] = []
    steps = await stage.result(PublishMetrics())
    while steps:
        made = await stage.result(*(step.data for step in steps if isinstance(step, Later)))
        steps = [each for each in made if isinstance(each, Later) and isinstance(each.data, MakeTables)]
        told += [each for each in made if each not in steps]
    return told


async def publish(on: Stage) -> dict[str, MetricPublished]:
    """All that is said until nothing is left to be made."""
    told = await published(on)
    return {metric.name: metric for metric in said(told, MetricPublished)}


def values(metric: MetricPublished) -> dict[str, int | str | None]:
    """What is told of each row that is not nought."""
    return {",".join(cell.codes): cell.hidden or cell.value for cell in metric.cells if cell.value != 0}


def scheduled(those: Sequence[Said]) -> list[Later]:
    return [each for each in those if isinstance(each, Later)]


async def close_the_month(on: Stage) -> dict[str, MetricPublished]:
    on.clock.at = periods.closes_at(periods.month_of(on.clock.at.date()))
    return await publish(on)
