insert into person (person_ref, wrapped_key, sealed)
select md5('person' || n)::uuid, decode(repeat('ab', 40), 'hex'), decode(repeat(md5(n::text), 38), 'hex') from stored;

insert into referral (id, person_ref, partner, reference, area, ward, direct_contact, agreement_by, score, groups, area_step,
                      policy, received_at, closed_at)
select referral_id, md5('person' || n)::uuid, partner, 'F-' || n, ward, ward, false, 'person', 40, 2, 10, 'leeds-1', at,
       case when waits then null else at + interval '20 days' end
from stored;

insert into need (id, referral_id, kind, status, reason, outcome, next_by, next_on, next_what, changed_at)
select need_id, referral_id, kind, case when waits then 'on-hold' else 'completed' end,
       case when waits then 'waiting-for-place' end, case when not waits then 'helped' end,
       case when waits then 'programme' end, case when waits then at::date + 28 end,
       case when waits then 'We offer the next free place that suits; if there is none we tell you how it stands.' end, at
from stored_need;

insert into need_history (need_id, fact, status, superseded, at)
select need_id, 'OfferMade', 'offered', false, at from stored_need;

insert into door (partner, submission_id, fingerprint, answer_type, answer, accepted_at)
select partner, 'filled-' || n, decode(repeat(md5(n::text), 2), 'hex'), 'furthest.partner.ReferralAcknowledged.v1',
       repeat('a', 300)::bytea, at
from stored;

insert into key_version (topic, key, version) select 'partners.' || partner || '.outbox', referral_id::text, 6 from stored;

insert into contact_audit (referral_id, asked_by, purpose, decision, channel, at)
select referral_id, 'notifications', 'accepted', 'send', 'email', at from stored;
