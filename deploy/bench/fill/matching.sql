insert into need (need_id, referral_id, partner, kind, state, lane, rank_key, ward, area, requirements, languages, formats,
                  schemes, score, groups, area_step, policy)
select need_id, referral_id, partner, kind, case when waits then 'waiting' else 'ended' end, 'routine',
       at - interval '40 days', ward, ward, '{}', '{en,ur}', '{}', '{}', 40, 2, 10, 'leeds-1'
from stored_need;

-- Decisions of the services count up from 1: these count down.
insert into offer (offer_id, need_id, referral_id, kind, partner, place_id, state, decision, made_at, expires_at, moved_at)
select uuidv7(at - now()), need_id, referral_id, kind, 'library-service', kind || '-' || near, 'ended', -n,
       at, at + interval '7 days', at + interval '20 days'
from stored_need where not waits;

insert into key_version (topic, key, version)
select 'partners.library-service.outbox', uuidv7(at - now())::text, 2 from stored_need where not waits;
