"""The SQL of who is next for places that came free, each read from the shortest queue that has all whom it may suit."""

from typing import Final

_BEST: Final = """
    n.kind = (freed.place).kind and n.state = 'waiting' and suits(n, freed.place)
    and n.need_id <> all ($1::uuid[])
    and not exists (
        select from declined d where d.need_id = n.need_id
        and d.partner = (freed.place).partner and d.place_id = (freed.place).place_id
    )
    order by n.lane, n.rank_key, n.need_id limit freed.units
"""


def _queue(queue: str, which: str) -> str:
    return f"""
    select n.need_id from freed cross join lateral (
        select n.need_id from need n where {which} and {_BEST}
    ) n where freed.queue = '{queue}'"""  # noqa: S608 - made of constants


def _queues(queue: str, names: str, name: str) -> str:
    """Of several queues, the best of all."""
    return f"""
    select n.need_id from freed cross join lateral (
        select n.need_id from unnest((freed.place).{names}) as named (one) cross join lateral (
            select n.* from need n where n.{name} = named.one and {_BEST}
        ) n
        order by n.lane, n.rank_key, n.need_id limit freed.units
    ) n where freed.queue = '{queue}'"""  # noqa: S608 - made of constants


CANDIDATES: Final = f"""
with freed as materialized (
    select place as place, sum(capacity - held - taken) over (partition by kind) as units,
           case when open_to <> '{{}}' then 'partners' when wards <> '{{}}' then 'wards'
                when scheme is not null then 'scheme' else 'all' end as queue
    from place join unnest($2::text[], $3::text[]) as named (partner, place_id) using (partner, place_id)
    where state = 'open' and capacity > held + taken
), best as (
    {_queues("partners", "open_to", "partner")}
    union all {_queues("wards", "wards", "ward")}
    union all {_queue("scheme", "n.schemes <> '{}'")}
    union all {_queue("all", "true")}
)
select * from need
where state = 'waiting' and need_id in (select unnest($1::uuid[]) union select need_id from best)
"""  # noqa: S608 - made of constants
