set local lock_timeout = '5s';

-- Where the money goes, what it scored, and what was paid.
alter table application add column wards text[] not null default '{}', add column points int,
    add column paid_pence bigint;
-- squawk-ignore ban-drop-constraint
alter table application drop constraint application_state_check;
alter table application add constraint application_state_known check (
    state in ('submitted', 'awarded', 'declined', 'withdrawn')
) not valid;
