set local lock_timeout = '5s';

-- Keyed hashes of two traits of a person, by which the same person is found again. They go with the person.
create table person_token (
    token bytea not null,
    person_ref uuid not null references person on delete cascade,
    primary key (token, person_ref)
);
create index person_token_person_ref on person_token (person_ref);

-- Two referrals that may be of one person, until staff settle it. Partners never hear of it.
create table possible_duplicate (
    referral_id uuid not null,
    other_id uuid not null,
    in_common text[] not null,
    found_at timestamptz not null,
    settled text check (settled in ('same', 'different')),
    settled_by text,
    settled_at timestamptz,
    primary key (referral_id, other_id)
);
create index possible_duplicate_other_id on possible_duplicate (other_id);
create index possible_duplicate_unsettled on possible_duplicate (found_at, referral_id) where settled_at is null;
