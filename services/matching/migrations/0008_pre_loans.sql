set local lock_timeout = '5s';

-- A place may lend what it gives, or give what lasts some months. `until` is when that is due back, or ends.
alter table place
    add column loan_days bigint,
    add column lasts_months bigint,
    add column reopen_days bigint not null default 30;
alter table offer add column until date;

-- `failed`: help could not be given, and the unit is free again. `lent` is taken until it is `returned`.
-- squawk-ignore ban-drop-constraint
alter table offer drop constraint offer_state;
alter table offer add constraint offer_state check (
    state in (
        'awaiting', 'open', 'accepted', 'in-progress', 'declined', 'expired', 'withdrawn', 'taken-back', 'refused',
        'handed-back', 'failed', 'ended', 'lent', 'returned', 'lost'
    )
) not valid;
-- squawk-ignore require-concurrent-index-creation
create index offer_lent on offer (partner, until, offer_id) where state = 'lent';
