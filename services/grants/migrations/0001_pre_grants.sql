set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table fund (
    fund_id text primary key,
    name text not null
);

-- The budget holds whatever the code does: `round_awards_within_budget`.
create table round (
    round_id text primary key,
    fund_id text not null references fund (fund_id),
    budget_pence bigint not null,
    maximum_pence bigint not null,
    minimum_pence bigint not null,
    opens_at timestamptz not null,
    closes_at timestamptz not null,
    awarded_pence bigint not null default 0,
    constraint round_awards_within_budget check (awarded_pence between 0 and budget_pence),
    constraint round_amounts_in_order check (0 < minimum_pence and minimum_pence <= maximum_pence),
    constraint round_opens_before_it_closes check (opens_at < closes_at)
);
create index round_fund_id on round (fund_id);

-- `organisation_id` is normalised; `organisation_original` is what the applicant wrote.
create table application (
    application_id uuid primary key,
    round_id text not null references round (round_id),
    organisation_id text not null,
    organisation_original text not null,
    organisation_name text not null,
    title text not null,
    amount_pence bigint not null constraint application_asks_for_money check (amount_pence > 0),
    kinds text[] not null,
    wards text[] not null,
    submitted_at timestamptz not null,
    status text not null default 'submitted'
        constraint application_status check (status in ('submitted', 'awarded', 'declined')),
    awarded_pence bigint,
    decline_reason text,
    decided_at timestamptz,
    decided_by text,
    constraint application_awarded check ((status = 'awarded') = (awarded_pence is not null)),
    constraint application_award_within_amount check (awarded_pence between 1 and amount_pence),
    constraint application_declined check ((status = 'declined') = (decline_reason is not null)),
    constraint application_decided check ((status = 'submitted') = (decided_at is null and decided_by is null))
);
create index application_round_id on application (round_id, submitted_at);

-- A need that no place can meet. It is open where it was recorded after it was last closed; either may come first.
create table open_gap (
    need_id uuid primary key,
    referral_id uuid not null,
    kind text not null,
    area text not null,
    reasons text[] not null,
    recorded_at timestamptz,
    closed_at timestamptz,
    is_open boolean not null generated always as (
        recorded_at is not null and (closed_at is null or recorded_at > closed_at)
    ) stored
);
create index open_gap_referral_id on open_gap (referral_id);
create index open_gap_kind_area on open_gap (kind, area) where is_open;

-- Grants made before, by anybody, as published in 360Giving. `data` is what is worth showing, and small.
create table past_award (
    grant_id text primary key,
    organisation_id text not null,
    organisation_original text not null,
    organisation_name text not null,
    register text,
    title text not null,
    amount_pence bigint not null constraint past_award_amount check (amount_pence >= 0),
    award_date date not null,
    geo_codes text[] not null,
    data jsonb not null constraint past_award_data_is_small check (octet_length(data::text) <= 65536),
    loaded_at timestamptz not null default now()
);
create index past_award_organisation_id on past_award (organisation_id);
