"""Keys of which nothing is kept: their rows go, and what is heard of them later has no effect.

A fact that `forgets` asks for it, and its handler answers with `Forget`. The service's own tables are the handler's
business; what the chassis keeps of a key, wherever it stands, is forgotten here.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from chassis.envelope import Event
from chassis.facts import Fact, Forget, Said
from chassis.postgres import Conn
from contracts.message import Message
from contracts.topics import ERASURES, inbox

LOCK: Final = 0x466F7267

HELD: Final = {
    "due": "select type, due_at, convert_from(value, 'UTF8')::jsonb as data from due where key = any($1::text[])",
    "errand": """select type, not_before, attempts, attempted_at, convert_from(value, 'UTF8')::jsonb as data from errand
                 where key = any($1::text[])""",
    "outbox": """select topic, said_at, convert_from(value, 'UTF8')::jsonb as data from outbox
                 where key = any($1::text[]::bytea[])""",
    "said": """select topic, said_at, convert_from(value, 'UTF8')::jsonb as data from said
               where key = any($1::text[]::bytea[])""",
    "dead_letter": """select id, consumer, topic, type, kind, rule, field, dead_at, settled_at, settled from dead_letter
                      where key = any($1::text[])""",
    "key_version": "select topic, version from key_version where key = any($1::text[])",
    "forgotten": "select key, forgotten_at from forgotten where key = any($1::text[])",
}
"""What the chassis keeps of keys ($1), by table. A dead letter's body stays sealed."""

_ROWS: Final = (
    "delete from due where key = any($1::text[])",
    "delete from errand where key = any($1::text[])",
    "delete from outbox where key = any($1::text[]::bytea[])",
    "delete from said where key = any($1::text[]::bytea[])",
    "delete from dead_letter where key = any($1::text[])",
)
"""In this order: the relay moves a row from `outbox` to `said`. That one is read from end to end, a second or so for a
million rows: an index would cost every fact, and erasures are few."""


def forgets(event: Event[Any]) -> bool:
    """Whether its handler answers with `Forget`: the catalogue says it of a message, our own models say it."""
    return bool(getattr(getattr(event.data, "spec", event.data), "forgets", False))


def _is_of_erasure(event: Event[Any]) -> bool:
    return forgets(event) or (isinstance(event.data, Message) and event.data.spec.topic == ERASURES)


async def pass_over(conn: Conn, events: Sequence[Event[Any]]) -> list[Event[Any]]:
    """Leaves out what is heard of a key that is forgotten, or is to be by an event before it.

    A partner's message is left in: its sender gets an answer; and so is what tells of the erasure itself. Whoever
    forgets waits here for all other batches, and holds them off until the commit, so that none of them brings back
    what it did not see forgotten.
    """
    ours = [event for event in events if not event.partner]
    if not ours:
        return list(events)
    kinds = {type(event.data): event for event in ours}
    shared = "" if any(map(forgets, kinds.values())) else "_shared"
    await conn.execute(f"select pg_advisory_xact_lock{shared}($1)", LOCK)
    gone = await known(conn, {event.key for event in ours})
    if shared and not gone:
        return list(events)
    heard: list[Event[Any]] = []
    for event in events:
        if event.partner or event.key not in gone or _is_of_erasure(event):
            heard.append(event)
        if forgets(event):
            gone.add(event.key)
    return heard


async def known(conn: Conn, keys: Iterable[str]) -> set[str]:
    """Which of these are forgotten."""
    rows = await conn.fetch("select key from forgotten where key = any($1::text[])", list(keys))
    return {row["key"] for row in rows}


async def forget(conn: Conn, said: Sequence[Said], at: datetime) -> list[Said]:
    """Forgets what is to be forgotten. Returns all else, but for what was said of it before that."""
    asked = [s for s in said if isinstance(s, Forget)]
    if not asked:
        return list(said)
    await conn.execute("select pg_advisory_xact_lock($1)", LOCK)
    keys = sorted({key for each in asked for key in (each.key, *each.also)})
    for sql in _ROWS:
        await conn.execute(sql, keys)
    await _forget_submissions(conn, sorted({pair for each in asked for pair in each.submissions}))
    await conn.execute(
        "insert into forgotten (key, forgotten_at) select unnest($1::text[]), $2 on conflict do nothing",
        sorted({each.key for each in asked}),
        at,
    )
    return _cut(said)


def _cut(said: Sequence[Said]) -> list[Said]:
    gone: set[str] = set()
    kept: list[Said] = []
    for each in reversed(said):
        if isinstance(each, Forget):
            gone |= {each.key, *each.also}
        elif _key(each) not in gone:
            kept.append(each)
    return kept[::-1]


def _key(said: Said) -> str:
    return said.data.key() if isinstance(said, Fact) else said.key


async def _forget_submissions(conn: Conn, submissions: Sequence[tuple[str, str]]) -> None:
    """What a message said and was answered goes; that its id was used stays, so that it is not done again."""
    partners, ids = [partner for partner, _ in submissions], [each for _, each in submissions]
    await conn.execute(
        """update door set fingerprint = '', answer_type = null, answer = null
           where (partner, submission_id) in (select * from unnest($1::text[], $2::text[]))""",
        partners,
        ids,
    )
    await conn.execute(
        """delete from dead_letter
           where (topic, event_id) in (select * from unnest($1::text[], $2::text[]))""",
        [inbox(partner) for partner in partners],
        ids,
    )
