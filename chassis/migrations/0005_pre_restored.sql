set local lock_timeout = '5s';

-- This database was put back from a backup; the service does not start before the log was compared with it.
create table restored (
    at timestamptz primary key,
    compared_at timestamptz
);

-- What the log says that this database had said, and does not know any more. `cause` is the event, or the errand,
-- that it was said because of: a call that was made before is not made again.
create table said_before (
    id uuid primary key,
    topic text not null,
    key text not null,
    type text not null,
    cause text not null,
    said_at timestamptz not null,
    value bytea not null
);
create index said_before_cause on said_before (cause);
