"""The order of every key, from the outbox to the effects: versions in the log, and the history of each need."""

from collections import defaultdict

from contracts.message import SERVICES
from deploy.demo.owed import Owed, compare_order
from deploy.demo.witness import MOVES, Evidence, Versions


async def in_order(seen: Evidence) -> list[Owed]:
    return [await _versions(seen), await _histories(seen)]


async def _versions(seen: Evidence) -> Owed:
    """A service counts what it says of a key on a topic: the log must hold 1 to n, each before the next."""
    lost = doubled = 0
    wrong: list[str] = []
    for service in SERVICES:
        async with seen.connected(service) as conn, conn.transaction():
            async for row in conn.cursor("select topic, key, version from key_version"):
                in_log = seen.said.versions.get((row["topic"], service, row["key"]), Versions()).number
                lost += max(0, row["version"] - in_log)
                doubled += max(0, in_log - row["version"])
                if in_log != row["version"]:
                    wrong.append(f"{row['topic']}/{row['key']}: {in_log} of {row['version']}")
    disordered = sum(versions.back for versions in seen.said.versions.values())
    wrong += [f"{topic}/{key}" for (topic, _, key), versions in seen.said.versions.items() if versions.back]
    effect = "log: everything that was committed was said, once and in order, on every key of every topic"
    return Owed(effect, lost, doubled, disordered, tuple(wrong[:3]))


async def _histories(seen: Evidence) -> Owed:
    """The history of a need is what matching said of it, in its order. Rows are only added, and late facts noted."""
    found: dict[str, list[str]] = defaultdict(list)
    async with seen.connected("referrals") as conn, conn.transaction():
        async for row in conn.cursor(
            "select need_id::text, fact from need_history where fact = any($1::text[]) order by id", sorted(MOVES)
        ):
            found[row["need_id"]].append(row["fact"])
    return compare_order("referrals: every fact of matching moved its need, in order", seen.said.of_need, found)
