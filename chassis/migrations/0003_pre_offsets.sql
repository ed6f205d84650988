set local lock_timeout = '5s';

-- Where a partition stood when the day began (UTC), so that an inbox can have a quota of records a day.
alter table consumer_offset add column day date;
alter table consumer_offset add column day_began bigint;

-- The Kafka cluster whose offsets these are: of another they would mean nothing.
create table kafka_cluster (
    id text primary key,
    known_since timestamptz not null
);
create unique index kafka_cluster_is_one on kafka_cluster ((true));

-- What is deleted by age lies in the order of time: an index of ranges finds it, and costs next to nothing to keep.
-- squawk-ignore require-concurrent-index-deletion
drop index inbox_taken_at;
-- squawk-ignore require-concurrent-index-creation
create index inbox_taken_at on inbox using brin (taken_at);
-- squawk-ignore require-concurrent-index-deletion
drop index said_said_at;
-- squawk-ignore require-concurrent-index-creation
create index said_said_at on said using brin (said_at);

-- The next version of a key is written into the page of the one before.
alter table key_version set (fillfactor = 80);
