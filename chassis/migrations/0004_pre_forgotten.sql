set local lock_timeout = '5s';

-- Keys of which nothing is kept. What is heard of them later has no effect.
create table forgotten (
    key text primary key,
    forgotten_at timestamptz not null
);

-- What was said of a key is found without reading all of it, and this costs next to nothing to keep.
-- squawk-ignore require-concurrent-index-creation
create index said_key on said using brin (key bytea_bloom_ops);
