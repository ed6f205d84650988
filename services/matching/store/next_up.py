"""The SQL of who is next for places that came free, each read from the shortest queue that has all whom it may suit.

A place for the whole city and everybody reads the first of all who wait. Where it suits too few of them, the others are
found by what they ask: what it cannot give is passed over, whoever asks it, and of all who ask the same the first are
next.
"""

from collections.abc import Iterator, Mapping
from typing import Final

FIRST: Final = 300

_FREED: Final = """freed as materialized (
    select place as place, sum(capacity - held - taken) over (partition by kind) as units,
           case when open_to <> '{}' then 'partners' when wards <> '{}' then 'wards' else 'all' end as queue
    from place join unnest($2::text[], $3::text[]) as named (partner, place_id) using (partner, place_id)
    where state = 'open' and capacity > held + taken
)"""
_BEST: Final = """
    suits({need}, freed.place) and n.need_id <> all ($1::uuid[])
    and not exists (
        select from declined d where d.need_id = n.need_id
        and d.partner = (freed.place).partner and d.place_id = (freed.place).place_id
    )
    order by n.lane, n.rank_key, n.need_id limit freed.units
"""
_WAITS: Final = "n.kind = (freed.place).kind and n.state = 'waiting'"
_EACH: Final = """cross join lateral (
    select n.* from need n where n.need_id = chosen.need_id and n.state = 'waiting' limit 1
) need"""
"""Looked up one by one: how many are chosen cannot be foreseen, and taken for many, all needs would be read."""
_NEXT: Final = f"{_WAITS} and {_BEST.format(need='n')}"


def _queues(queue: str, names: str, name: str) -> str:
    """Of several queues, the best of all."""
    return f"""
    select n.need_id from freed cross join lateral (
        select n.need_id from unnest((freed.place).{names}) as named (one) cross join lateral (
            select n.* from need n where n.{name} = named.one and {_NEXT}
        ) n
        order by n.lane, n.rank_key, n.need_id limit freed.units
    ) n where freed.queue = '{queue}'"""  # noqa: S608 - made of constants


NEXT: Final = f"""
with {_FREED}, first as materialized (
    select freed.place, freed.units, n.need_id from freed left join lateral (
        select n.need_id from (
            select n, n.lane, n.rank_key, n.need_id from need n where {_WAITS}
            order by n.lane, n.rank_key, n.need_id limit $4
        ) n where {_BEST.format(need="n.n")}
    ) n on true where freed.queue = 'all'
), lacking as (
    select place, units from first group by place, units having count(need_id) < units
), best as (
    {_queues("partners", "open_to", "partner")}
    union all {_queues("wards", "wards", "ward")}
    union all select need_id from first
)
select need.*, exists (
    select from lacking freed cross join lateral (
        select from need n where {_WAITS} order by n.lane, n.rank_key, n.need_id offset $4 limit 1
    ) more
) as lacking
from (select unnest($1::uuid[]) union select need_id from best) chosen (need_id) {_EACH}
"""  # noqa: S608 - made of constants
"""$1 the needs that joined the queue, $2 and $3 the places that came free, $4 how many are the first.

`lacking` is whether there are more who wait, and too few of the first suit a place.
"""

_MET: Final[Mapping[str, str]] = {
    "requirements": "asked.requirements <@ (asked.place).requirements",
    **{
        name: f"(asked.{name} = '{{}}' or (asked.place).{name} = '{{}}' or asked.{name} && (asked.place).{name})"
        for name in ("languages", "formats", "days")
    },
    "schemes": "((asked.place).scheme is null or (asked.place).scheme = any (asked.schemes))",
}
"""Whether a place can give what is asked: a part of `suits`, in the order of the index `need_queue_of_asked`."""


def _of(alias: str, columns: int = len(_MET)) -> str:
    return ", ".join(f"{alias}.{name}" for name in list(_MET)[:columns])


def _ways_on() -> Iterator[str]:
    """From what is asked to what is asked next: past all that have the same part which cannot be given."""
    conditions = list(_MET.values())
    for met in range(len(conditions)):
        is_last = met == len(conditions) - 1
        so_far = " and ".join([*conditions[:met], "true" if is_last else f"not coalesce({conditions[met]}, false)"])
        yield f"""(
            select {_of("n")} from need n where {so_far} and n.kind = (asked.place).kind and n.state = 'waiting'
            and ({_of("n", met + 1)}) > ({_of("asked", met + 1)}) order by {_of("n")} limit 1
        )"""  # noqa: S608 - made of constants


BY_WHAT_IS_ASKED: Final = f"""
with recursive {_FREED}, asked as (
    select freed.place, freed.units, n.* from freed cross join lateral (
        select {_of("n")} from need n where {_WAITS}
        order by {_of("n")} limit 1
    ) n where freed.queue = 'all'
    union all
    select asked.place, asked.units, n.* from asked cross join lateral ({" union all ".join(_ways_on())}) n
), best as (
    select n.need_id from freed cross join lateral (
        select n.need_id from asked cross join lateral (
            select n.* from need n where ({_of("n")}) = ({_of("asked")}) and {_NEXT}
        ) n where asked.place = freed.place and {" and ".join(_MET.values())}
        order by n.lane, n.rank_key, n.need_id limit freed.units
    ) n
)
select need.* from best chosen {_EACH}
"""  # noqa: S608 - made of constants
"""The same of places for the whole city and everybody, without those who joined; $1 to $3 as before."""
