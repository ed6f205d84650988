"""What handlers returned becomes rows: facts in their final bytes, work for later, errands to the outside."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.envelope import header_text
from chassis.facts import Errand, Fact, Later
from chassis.ids import uuid7
from chassis.postgres import Conn
from contracts.topics import outbox as outbox_topic


async def append(conn: Conn, facts: Sequence[Fact], source: str, at: datetime) -> None:
    """Writes facts to the outbox in their final bytes and order, each with the next version of its key."""
    if not facts:
        return
    topics = [outbox_topic(fact.to) if fact.to else fact.data.spec.topic for fact in facts]
    keys = [fact.data.key() for fact in facts]
    versions = await _versions(conn, list(zip(topics, keys, strict=True)))
    nth: Counter[tuple[str, ...]] = Counter()
    headers: list[str] = []
    time = at.isoformat()
    for fact, topic, key in zip(facts, topics, keys, strict=True):
        cause, kind = fact.cause, fact.data.spec.type
        seed = (cause.source, cause.id, topic, kind, key)
        nth[seed] += 1
        versions[topic, key] += 1
        identity = str(uuid7(cause.time, *seed, str(nth[seed])))
        causation = cause.correlation if cause.partner else cause.id
        headers.append(header_text(identity, source, kind, time, versions[topic, key], cause.correlation, causation))
    await conn.execute(
        """insert into outbox (topic, key, headers, value, said_at)
           select topic, key, headers, value, $5
           from unnest($1::text[], $2::bytea[], $3::text[], $4::bytea[])
           with ordinality as new (topic, key, headers, value, nth) order by nth""",
        topics,
        [key.encode() for key in keys],
        headers,
        [fact.value for fact in facts],
        at,
    )


async def _versions(conn: Conn, said: Sequence[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Reserves the versions that each (topic, key) needs and returns the last one used before."""
    needed = sorted(Counter(said).items())
    rows = await conn.fetch(
        """insert into key_version (topic, key, version)
           select topic, key, n from unnest($1::text[], $2::text[], $3::bigint[]) as new (topic, key, n)
           on conflict (topic, key) do update set version = key_version.version + excluded.version
           returning topic, key, version""",
        [topic for (topic, _), _ in needed],
        [key for (_, key), _ in needed],
        [n for _, n in needed],
    )
    after = {(row["topic"], row["key"]): row["version"] for row in rows}
    return Counter({identity: after[identity] - n for identity, n in needed})


async def schedule(conn: Conn, later: Sequence[Later]) -> None:
    if not later:
        return
    await conn.execute(
        """insert into due (type, key, value, correlation, due_at)
           select * from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[])""",
        [type(work.data).__name__ for work in later],
        [work.key for work in later],
        [work.data.model_dump_json().encode() for work in later],
        [work.cause.correlation for work in later],
        [work.at for work in later],
    )


async def enqueue(conn: Conn, errands: Sequence[Errand]) -> None:
    if not errands:
        return
    nth: Counter[tuple[str, ...]] = Counter()
    ids: list[UUID] = []
    for errand in errands:
        seed = (errand.cause.source, errand.cause.id, type(errand.data).__name__, errand.key)
        nth[seed] += 1
        ids.append(uuid7(errand.cause.time, *seed, str(nth[seed])))
    await conn.execute(
        """insert into errand (id, type, key, value, correlation, not_before)
           select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::timestamptz[])""",
        ids,
        [type(errand.data).__name__ for errand in errands],
        [errand.key for errand in errands],
        [errand.data.model_dump_json().encode() for errand in errands],
        [errand.cause.correlation for errand in errands],
        [errand.not_before for errand in errands],
    )
