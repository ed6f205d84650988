set local lock_timeout = '5s';

-- What final tables said before they were corrected: whoever kept it still has it.
alter table edition add column superseded jsonb[] not null default '{}';
