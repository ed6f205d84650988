set local lock_timeout = '5s';

-- In the order of service: the first lane before the second.
create type lane as enum ('urgent', 'routine');

-- A transaction that changes needs or places of a kind locks its row first. Counts the decisions of the kind.
create table kind_lock (
    kind text primary key,
    decision bigint not null default 0
);
insert into kind_lock (kind) values ('champion'), ('connectivity'), ('device'), ('skills');

create table provider (
    partner text not null,
    provider_id text not null,
    name text not null,
    languages text[] not null,
    primary key (partner, provider_id)
);

-- `capacity` is the capacity wanted, or what is held and taken where that is more.
-- `state` is what `opens_on` and `closes_on` say, kept here so that it changes only together with the queue.
create table place (
    partner text not null,
    place_id text not null,
    provider_id text not null,
    kind text not null references kind_lock,
    wanted bigint not null,
    capacity bigint not null,
    held bigint not null default 0,
    taken bigint not null default 0,
    state text not null constraint place_state check (state in ('planned', 'open', 'closed')),
    wards text[] not null,
    languages text[] not null,
    formats text[] not null,
    requirements text[] not null,
    open_to text[] not null,
    scheme text,
    opens_on date,
    closes_on date,
    funded_by text,
    primary key (partner, place_id),
    foreign key (partner, provider_id) references provider,
    constraint place_never_promised_twice check (held >= 0 and taken >= 0 and held + taken <= capacity),
    constraint place_capacity_falls check (capacity >= wanted and wanted >= 0)
);
create index place_free on place (kind) where state = 'open' and capacity > held + taken;
create index place_of_kind on place (kind);

-- `languages` are the need's own, else the referral's. `partner` is who referred.
create table need (
    need_id uuid primary key,
    referral_id uuid not null,
    partner text not null,
    kind text not null references kind_lock,
    state text not null constraint need_state check (
        state in ('paused', 'waiting', 'offered', 'accepted', 'in-progress', 'ended', 'withdrawn')
    ),
    is_gap boolean not null default false,
    lane lane not null,
    rank_key timestamptz not null,
    not_before date,
    ward text,
    area text not null,
    requirements text[] not null,
    languages text[] not null,
    formats text[] not null,
    schemes text[] not null,
    score bigint not null,
    groups bigint not null,
    area_step bigint not null,
    policy text not null,
    constraint need_gap_is_queued check (not is_gap or state in ('paused', 'waiting'))
);
create index need_queue on need (kind, lane, rank_key, need_id) where state = 'waiting';
create index need_gap on need (kind) where is_gap;

-- Every withdrawal heard, also of needs not heard of yet, and those that came when the need had ended.
create table withdrawal (
    need_id uuid primary key,
    referral_id uuid not null,
    reason text not null,
    heard_at timestamptz not null,
    is_superseded boolean not null
);

create table offer (
    offer_id uuid primary key,
    need_id uuid not null references need,
    referral_id uuid not null,
    kind text not null,
    partner text not null,
    place_id text not null,
    state text not null constraint offer_state check (
        state in ('open', 'accepted', 'in-progress', 'declined', 'expired', 'withdrawn', 'handed-back', 'ended')
    ),
    decision bigint not null,
    made_at timestamptz not null,
    expires_at timestamptz not null,
    moved_at timestamptz not null,
    reason text,
    foreign key (partner, place_id) references place,
    constraint offer_decision unique (kind, decision)
);
create unique index offer_one_live_per_need on offer (need_id) where state in ('open', 'accepted', 'in-progress');
create index offer_of_need on offer (need_id);
create index offer_open_of_partner on offer (partner, expires_at, offer_id) where state = 'open';

-- A need is not offered a place again that declined it, let the offer expire, or handed it back.
create table declined (
    need_id uuid not null references need,
    partner text not null,
    place_id text not null,
    primary key (need_id, partner, place_id)
);

-- Whether a place helps such a need, free or not: says the same as domain/fit.py.
create function suits(n need, p place) returns boolean
language sql immutable parallel safe
return n.kind = p.kind
    and (p.wards = '{}' or coalesce(n.ward = any (p.wards), false))
    and n.requirements <@ p.requirements
    and (n.languages = '{}' or p.languages = '{}' or n.languages && p.languages)
    and (n.formats = '{}' or p.formats = '{}' or n.formats && p.formats)
    and (p.open_to = '{}' or n.partner = any (p.open_to))
    and (p.scheme is null or p.scheme = any (n.schemes));
