set local lock_timeout = '5s';

-- What the referrer was asked to tell the person, and what came of it.
create table contact_request (
    task_id uuid primary key,
    referral_id uuid not null,
    need_id uuid not null,
    partner text not null,
    about text not null,
    asked_at timestamptz not null,
    outcome text check (outcome in ('told', 'could-not-reach', 'declined')),
    reported_at timestamptz,
    constraint contact_request_reported check ((outcome is null) = (reported_at is null))
);
create index contact_request_referral_id on contact_request (referral_id);

-- Where a person may answer without a key. Only the SHA-256 of what stands in the link is kept.
create table answer_link (
    sha256 bytea primary key,
    referral_id uuid not null,
    need_id uuid not null,
    asked text not null check (asked in ('closing', '3-months', '6-months')),
    expires_at timestamptz not null
);
create index answer_link_referral_id on answer_link (referral_id);

-- How it went, as the person said, once for each time of asking.
create table feedback (
    referral_id uuid not null,
    asked text not null check (asked in ('closing', '3-months', '6-months')),
    need_id uuid not null,
    goal_met text not null,
    online text not null,
    at timestamptz not null,
    primary key (referral_id, asked)
);

-- Where a partner without a system of its own is written to.
create table partner_mail (
    partner text primary key,
    email text not null,
    said_at timestamptz not null
);

-- By which code the status of a referral is told. Only its SHA-256 is kept.
create table status_code (
    sha256 bytea primary key,
    referral_id uuid not null,
    expires_at timestamptz not null
);
create index status_code_referral_id on status_code (referral_id);

-- When a code was tried that is none: too many in an hour, and none is looked at.
create table status_guess (
    id bigint generated always as identity primary key,
    at timestamptz not null
);
create index status_guess_at on status_guess (at);
