set local lock_timeout = '5s';

-- Somebody does not agree with where a person stands in the list, and what staff found.
create table review (
    id bigint generated always as identity primary key,
    need_id uuid not null,
    referral_id uuid not null,
    asked_by text not null,
    why text not null,
    asked_at timestamptz not null,
    answer text,
    answered_by text,
    answered_at timestamptz
);
create unique index review_open on review (need_id) where answered_at is null;
create index review_referral_id on review (referral_id);
