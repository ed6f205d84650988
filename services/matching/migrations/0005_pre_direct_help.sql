set local lock_timeout = '5s';

-- Given to people who were not referred; devices and SIMs are among what is taken of the place.
create table direct_help (
    direct_help_id uuid primary key,
    partner text not null,
    place_id text not null,
    kind text not null,
    count bigint not null,
    ward text,
    given_on date not null,
    recorded_at timestamptz not null,
    foreign key (partner, place_id) references place
);
create index direct_help_of_place on direct_help (partner, place_id);
