set local lock_timeout = '5s';

-- An offer that staff confirm first is `awaiting`: its unit is held, and its provider does not know of it.
alter table offer add column confirmed_by text;

-- squawk-ignore ban-drop-constraint
alter table offer drop constraint offer_state;
alter table offer add constraint offer_state check (
    state in (
        'awaiting', 'open', 'accepted', 'in-progress', 'declined', 'expired', 'withdrawn', 'taken-back', 'refused',
        'handed-back', 'ended'
    )
) not valid;

-- squawk-ignore require-concurrent-index-creation
create unique index offer_one_promised_per_need on offer (need_id)
where state in ('awaiting', 'open', 'accepted', 'in-progress');
-- squawk-ignore require-concurrent-index-deletion
drop index offer_one_live_per_need;
-- squawk-ignore require-concurrent-index-creation
create index offer_awaiting on offer (kind, decision) where state = 'awaiting';
