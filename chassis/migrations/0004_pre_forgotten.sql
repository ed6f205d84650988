set local lock_timeout = '5s';

-- Keys of which nothing is kept. What is heard of them later has no effect.
create table forgotten (
    key text primary key,
    forgotten_at timestamptz not null
);
