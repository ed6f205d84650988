insert into referral (referral_id, partner, area, received_at, score, groups, area_step, policy, lane, closed_at)
select referral_id, partner, ward, at, 40, 2, 10, 'leeds-1', 'routine',
       case when waits then null else at + interval '20 days' end
from stored;

insert into need (need_id, referral_id, kind, area, status, reason, outcome, status_at, rank_key)
select need_id, referral_id, kind, ward, case when waits then 'on-hold' else 'completed' end,
       case when waits then 'waiting-for-place' end, case when not waits then 'helped' end, at, at - interval '40 days'
from stored_need;

insert into offer (offer_id, referral_id, need_id, provider, place_id, kind, expires_at, state)
select uuidv7(at - now()), referral_id, need_id, 'library-service', kind || '-' || near, kind,
       at + interval '7 days', 'accepted'
from stored_need where not waits;

insert into support (event_id, referral_id, need_id, provider, state, outcome, at)
select uuidv7(at - now()), referral_id, need_id, 'library-service', state,
       case when state = 'ended' then 'helped' end, at
from stored_need cross join unnest(array['started', 'ended']) as state where not waits;

insert into notification (event_id, referral_id, need_id, audience, status, result, channel, at)
select uuidv7(at - now()), referral_id, need_id, 'person', status, 'sent', 'email', at
from stored_need cross join unnest(array['accepted', 'completed']) as status where not waits;
