set local lock_timeout = '5s';

-- How far each consumer group has come. The row, not Kafka, decides where reading goes on.
create table consumer_offset (
    consumer text not null,
    topic text not null,
    partition int not null,
    next_offset bigint not null,
    primary key (consumer, topic, partition)
);

-- Facts already taken, kept 30 days: catches a relay that sent twice, which an offset cannot see.
create table inbox (
    event_id uuid not null,
    consumer text not null,
    taken_at timestamptz not null,
    primary key (event_id, consumer)
);
create index inbox_taken_at on inbox (taken_at);

-- What this service will say, in final bytes; the relay sends and moves to `said`.
create table outbox (
    position bigint generated always as identity primary key,
    topic text not null,
    key bytea not null,
    headers text not null,
    value bytea not null,
    said_at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- What this service said, kept 35 days, so that a restore can tell exactly what went out.
create table said (
    position bigint primary key,
    topic text not null,
    key bytea not null,
    headers text not null,
    value bytea not null,
    said_at timestamptz not null
);
create index said_said_at on said (said_at);

-- The version of each key on each topic; its row lock keeps the order of a key in the outbox.
create table key_version (
    topic text not null,
    key text not null,
    version bigint not null,
    primary key (topic, key)
);

-- Which submissions of which partner were accepted, by Kafka or HTTP alike, and what was answered.
create table door (
    partner text not null,
    submission_id text not null,
    fingerprint bytea not null,
    answer_type text,
    answer bytea,
    accepted_at timestamptz not null,
    primary key (partner, submission_id)
);

-- Records that had no effect, and those parked behind them. The body is sealed and lasts 30 days.
create table dead_letter (
    id bigint generated always as identity primary key,
    consumer text not null,
    topic text not null,
    partition int not null,
    record_offset bigint not null,
    key text not null,
    type text,
    event_id text,
    kind text not null check (kind in ('unreadable', 'unexpected', 'parked')),
    rule text not null,
    field text,
    body bytea not null,
    attempts int not null,
    dead_at timestamptz not null,
    settled_at timestamptz,
    settled text check (settled in ('replayed', 'discarded'))
);
create index dead_letter_parks on dead_letter (consumer, topic, key) where settled_at is null and kind <> 'unreadable';
create index dead_letter_dead_at on dead_letter (dead_at);

-- Work with a time, run once.
create table due (
    id bigint generated always as identity primary key,
    type text not null,
    key text not null,
    value bytea not null,
    correlation text not null,
    due_at timestamptz not null
);
create index due_due_at on due (due_at, id);

-- Calls to the outside: the attempt is committed before the call, the result after it.
create table errand (
    id uuid primary key,
    type text not null,
    key text not null,
    value bytea not null,
    correlation text not null,
    not_before timestamptz not null,
    attempts int not null default 0,
    attempted_at timestamptz,
    attempted_by text
);
create index errand_not_before on errand (not_before, id) where attempted_at is null;
create index errand_attempted_at on errand (attempted_at) where attempted_at is not null;
