insert into message (id, referral_id, need_id, audience, status, kind, cause, created_at, state, channel, settled_at)
select uuidv7(at - now()), referral_id, need_id, 'person', status, kind,
       uuidv7(at - now()), at, 'sent', 'email', at
from stored_need cross join unnest(array['accepted', 'completed']) as status where not waits;
