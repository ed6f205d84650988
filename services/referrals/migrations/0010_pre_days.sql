set local lock_timeout = '5s';

-- The days of the week on which the person can be helped; none is any.
alter table need add column days text[] not null default '{}';
