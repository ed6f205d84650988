insert into referral (referral_id, partner, area, received_at, score, closed_at)
select referral_id, partner, ward, at, 40, case when waits then null else at + interval '20 days' end
from stored;

insert into need (need_id, referral_id, kind, status, reason, outcome, status_at, rank_key, queued_at, accepted_at,
                  waiting_until, ended_at)
select need_id, referral_id, kind, case when waits then 'on-hold' else 'completed' end,
       case when waits then 'waiting-for-place' end, case when not waits then 'helped' end, at, at - interval '40 days',
       at, taken_on, taken_on, case when not waits then at + interval '20 days' end
from stored_need cross join lateral (select case when not waits then at + interval '5 days' end as taken_on) as times;

insert into offer (offer_id, referral_id, need_id, provider, place_id, kind, expires_at, state, rank_key, made_at, ended_at,
                   accepted_at)
select uuidv7(at - now()), referral_id, need_id, 'library-service', kind || '-' || near, kind,
       at + interval '7 days', 'accepted', at - interval '40 days', at + interval '1 day', at + interval '5 days',
       at + interval '5 days'
from stored_need where not waits;

insert into support (event_id, referral_id, need_id, provider, state, outcome, at)
select uuidv7(at - now()), referral_id, need_id, 'library-service', state,
       case when state = 'ended' then 'helped' end, at
from stored_need cross join unnest(array['started', 'ended']) as state where not waits;

insert into notification (event_id, referral_id, need_id, audience, status, result, channel, at)
select uuidv7(at - now()), referral_id, need_id, 'person', status, 'sent', 'email', at
from stored_need cross join unnest(array['accepted', 'completed']) as status where not waits;
