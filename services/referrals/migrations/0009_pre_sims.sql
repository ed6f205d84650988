set local lock_timeout = '5s';

-- The data SIM that came of a need. Its numbers are sealed with the key of the person, and go with them.
create table sim (
    need_id uuid primary key references need (id),
    person_ref uuid not null references person on delete cascade,
    network text not null,
    activated_on date not null,
    expires_on date check (expires_on > activated_on),
    sealed bytea not null,
    provider text not null,
    written_at timestamptz not null
);
create index sim_person_ref on sim (person_ref);
