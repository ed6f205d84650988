set local lock_timeout = '5s';

-- When each thing happened: what is counted by month is counted by these.
-- `waiting_until` is when a need last left the queue: null while it waits.
alter table need add column accepted_at timestamptz, add column waiting_until timestamptz,
    add column ended_at timestamptz, add column queued_at timestamptz;
alter table offer add column rank_key timestamptz, add column made_at timestamptz, add column ended_at timestamptz;
alter table gap add column opened_at timestamptz, add column closed_at timestamptz;
alter table place add column wards text[] not null default '{}';
alter table area add column committee text;

-- What was published: the last version of each table. What is final is never counted anew, only corrected.
create table edition (
    name text primary key,
    measure text not null,
    period text not null,
    ends_on date not null,
    is_final boolean not null,
    published jsonb not null
);
create index edition_period on edition (period);

-- When to publish next is marked on two rows: soon, because something changed; and because a month closes.
insert into publication (name) values ('soon'), ('close');

-- Who of the staff looked at exact counts.
create table staff_view (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    who text not null,
    what text not null
);

-- Whether somebody further back was offered help of a kind, without a look at all offers.
-- squawk-ignore require-concurrent-index-creation
create index offer_kind_rank on offer (kind, rank_key);
