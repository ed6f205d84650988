set local lock_timeout = '5s';

-- Every table but `publication` is made from facts alone and may be emptied and made again from the log.
-- None holds a person_ref. There is no order across topics, so a row may be a stub: its columns are null until
-- the fact that knows them arrives.

create table partner (
    partner text primary key,
    name text not null
);

create table area (
    code text primary key,
    name text not null,
    decile int not null,
    step int not null,
    version text not null,
    loaded_at timestamptz not null
);

create table referral (
    referral_id uuid primary key,
    partner text,
    area text,
    received_at timestamptz,
    score int,
    groups int,
    area_step int,
    policy text,
    lane text,
    closed_at timestamptz
);

-- A need without a status is a stub: matching spoke of it first.
create table need (
    need_id uuid primary key,
    referral_id uuid not null,
    kind text,
    area text,
    status text,
    reason text,
    outcome text,
    status_at timestamptz,
    withdrawn_for text,
    rank_key timestamptz,
    constraint need_is_known check (status is null or (kind is not null and area is not null))
);
create index need_referral on need (referral_id);

create table provider (
    provider text not null,
    provider_id text not null,
    name text not null,
    primary key (provider, provider_id)
);

create table place (
    provider text not null,
    place_id text not null,
    provider_id text not null,
    kind text not null,
    capacity int not null,
    held int not null,
    taken int not null,
    funded_by text,
    primary key (provider, place_id)
);

create table offer (
    offer_id uuid primary key,
    referral_id uuid not null,
    need_id uuid not null,
    provider text not null,
    place_id text not null,
    kind text,
    expires_at timestamptz,
    state text not null check (state in ('made', 'accepted', 'declined', 'expired', 'withdrawn')),
    reason text
);
create index offer_referral on offer (referral_id);

-- One row for each fact, so that no fact is counted twice.
create table support (
    event_id uuid primary key,
    referral_id uuid not null,
    need_id uuid not null,
    provider text not null,
    state text not null check (state in ('started', 'ended', 'handed-back')),
    outcome text,
    reason text,
    at timestamptz not null
);
create index support_referral on support (referral_id);

create table gap (
    need_id uuid primary key,
    referral_id uuid not null,
    kind text not null,
    area text not null,
    is_open boolean not null
);
create index gap_referral on gap (referral_id);

-- One row for each fact, so that no fact is counted twice.
create table notification (
    event_id uuid primary key,
    referral_id uuid not null,
    need_id uuid not null,
    audience text not null,
    status text not null,
    result text not null check (result in ('sent', 'failed', 'withheld', 'call-requested')),
    channel text,
    reason text,
    at timestamptz not null
);
create index notification_referral on notification (referral_id);

create table fund (
    fund_id text primary key,
    name text not null
);

create table grant_round (
    round_id text primary key,
    fund_id text not null,
    budget_pence bigint not null,
    opens_at timestamptz not null,
    closes_at timestamptz not null
);

create table application (
    application_id uuid primary key,
    round_id text not null,
    organisation_id text,
    asked_pence bigint,
    awarded_pence bigint,
    state text not null check (state in ('submitted', 'awarded', 'declined')),
    reason text
);

-- What was said last of each table of counts, and when it is to be counted again: null while nothing changed.
create table publication (
    name text primary key,
    due_at timestamptz,
    published jsonb
);
insert into publication (name) values ('needs-by-status/all'), ('needs-by-kind/all'), ('needs-by-ward/all');
