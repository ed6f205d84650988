"""What was published, what it was made of, and when there is something to publish again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.postgres import Conn
from contracts.reporting import MetricPublished


@dataclass(frozen=True, slots=True)
class Editions:
    conn: Conn

    async def mark(self, why: str, due_at: datetime) -> bool:
        """Marks that there is something to publish; false where that was marked already.

        The shared lock lets batches go on beside each other, but holds off `begin` until they are committed: no
        change can fall between a count that does not see it and a mark that says a count is under way.
        """
        marked = await self.conn.fetchval("select due_at from publication where name = $1 for key share", why)
        if marked is not None:
            return False
        return bool(
            await self.conn.fetchval(
                "update publication set due_at = $2 where name = $1 and due_at is null returning true", why, due_at
            )
        )

    async def begin(self, at: datetime) -> None:
        """Takes the marks off, after all who saw them have committed what they changed."""
        await self.conn.execute("select from publication order by name for update")
        await self.conn.execute("update publication set due_at = null where name = 'soon' or due_at <= $1", at)

    async def alone(self) -> None:
        """Lets nobody else publish until the commit. Who reads, or takes facts, does not wait."""
        await self.conn.execute("lock table edition in share row exclusive mode")

    async def save(self, metrics: Sequence[MetricPublished]) -> None:
        await self.conn.execute(
            """insert into edition (name, measure, period, ends_on, is_final, published)
               select * from unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::boolean[], $6::jsonb[])
               on conflict (name) do update set ends_on = excluded.ends_on, published = excluded.published,
                   superseded = case when edition.is_final then edition.superseded || edition.published
                                else edition.superseded end""",
            [metric.name for metric in metrics],
            [metric.measure for metric in metrics],
            [metric.period for metric in metrics],
            [metric.ends_on for metric in metrics],
            [metric.final for metric in metrics],
            [metric.model_dump_json() for metric in metrics],
        )

    async def versions(self, names: Sequence[str]) -> dict[str, list[MetricPublished]]:
        """Every version of a final table, and the last one of others; the newest last."""
        rows = await self.conn.fetch(
            "select name, superseded || published as versions from edition where name = any($1)", names
        )
        return {row["name"]: [_read(version) for version in row["versions"]] for row in rows}

    async def changed(self, metrics: Sequence[MetricPublished]) -> list[MetricPublished]:
        """Those that say anything else than was published last, or say it of other days."""
        last = await self.versions([metric.name for metric in metrics])
        return [
            each
            for each in metrics
            if (was := last.get(each.name)) is None or was[-1].model_copy(update={"as_of": each.as_of}) != each
        ]

    async def closed(self) -> set[str]:
        """The names of months and years that were closed. What is only passed on may be there before."""
        rows = await self.conn.fetch("select distinct period from edition where is_final and measure <> 'people'")
        return {row["period"] for row in rows}

    async def all(self, where: str, *args: object, limit: int | None = None) -> list[MetricPublished]:
        rows = await self.conn.fetch(
            f"select published from edition where {where} order by name limit {limit or 'all'}",  # noqa: S608 - our own
            *args,
        )
        return [_read(row["published"]) for row in rows]

    async def for_pages(self) -> list[MetricPublished]:
        """What stands now, the open month, the last month with its year; and the waiting list of every month. What is
        only passed on has a last month of its own."""
        return await self.all(
            """not is_final or name ~ '^waiting/[^/]+/kind$'
               or ends_on = (select max(ends_on) from edition as final
                             where is_final and (final.measure = 'people') = (edition.measure = 'people'))"""
        )

    async def periods(self) -> list[str]:
        return [row["period"] for row in await self.conn.fetch("select distinct period from edition order by period")]


def _read(text: str) -> MetricPublished:
    return MetricPublished.model_validate_json(text, extra="ignore")
