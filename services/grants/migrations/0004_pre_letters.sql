set local lock_timeout = '5s';

-- Where an organisation wants to be written to of its applications. It is in no event, and only notifications is told.
create table contact (
    organisation_id text primary key,
    email text not null,
    at timestamptz not null
);

-- What the approver wrote for the letter: what was good, and what would have helped.
alter table application add column advice text;
