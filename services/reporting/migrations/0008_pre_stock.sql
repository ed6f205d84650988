set local lock_timeout = '5s';

-- Help that was given on the spot, to people who were not referred. One row for each fact.
create table direct_help (
    event_id uuid primary key,
    kind text not null,
    ward text,
    number int not null,
    given_on date not null
);

-- What became of what was lent. One row for each fact.
create table loan (
    event_id uuid primary key,
    referral_id uuid not null,
    need_id uuid not null,
    kind text not null,
    state text not null,
    at timestamptz not null
);
create index loan_referral on loan (referral_id);

-- Needs that staff were asked to look at, because so many had declined. One row for each fact.
create table escalation (
    event_id uuid primary key,
    referral_id uuid not null,
    need_id uuid not null,
    kind text not null,
    at timestamptz not null
);
create index escalation_referral on escalation (referral_id);

-- Of the ways to tell somebody, which one this was; and whether a place is open, closed, or only planned.
alter table notification add column rung int;
alter table place add column state text;
