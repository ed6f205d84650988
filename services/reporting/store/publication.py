"""What was published last, and what is to be counted again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.postgres import Conn
from contracts.reporting import MetricPublished


@dataclass(frozen=True, slots=True)
class Publication:
    conn: Conn

    async def mark(self, names: Sequence[str], due_at: datetime) -> list[str]:
        """Marks tables as changed, and returns those that nobody had marked.

        The shared lock lets batches go on beside each other, but holds off `begin` until they are committed:
        no change can fall between a count that does not see it and a mark that says a count is under way.
        """
        await self.conn.execute("select from publication where name = any($1) order by name for key share", names)
        rows = await self.conn.fetch(
            """with unmarked as (
                   select name from publication where name = any($1) and due_at is null order by name for no key update
               )
               update publication set due_at = $2 from unmarked where publication.name = unmarked.name
               returning publication.name""",
            names,
            due_at,
        )
        return sorted(row["name"] for row in rows)

    async def begin(self, names: Sequence[str]) -> dict[str, MetricPublished | None]:
        """Takes the marks off, and returns what was published last under each name."""
        rows = await self.conn.fetch(
            """with marked as (select name from publication where name = any($1) order by name for update)
               update publication set due_at = null from marked where publication.name = marked.name
               returning publication.name, published""",
            sorted(set(names)),
        )
        return {row["name"]: _read(row["published"]) for row in sorted(rows, key=lambda row: str(row["name"]))}

    async def save(self, metrics: Sequence[MetricPublished]) -> None:
        await self.conn.execute(
            """update publication set published = new.published
               from unnest($1::text[], $2::jsonb[]) as new (name, published) where publication.name = new.name""",
            [metric.name for metric in metrics],
            [metric.model_dump_json() for metric in metrics],
        )

    async def published(self) -> dict[str, MetricPublished]:
        rows = await self.conn.fetch("select name, published from publication where published is not null")
        return {row["name"]: MetricPublished.model_validate_json(row["published"], extra="ignore") for row in rows}


def _read(text: str | None) -> MetricPublished | None:
    return MetricPublished.model_validate_json(text, extra="ignore") if text else None
