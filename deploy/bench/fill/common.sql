-- What the other files share. Referrals are numbered from {first} to {last}; each came {step} ms after the one before,
-- and one in ten has a need that waits. Ids are new in each database: what is stored speaks to nobody.
create temp table stored as
select n, uuidv7(at - now()) as referral_id, at, ({wards})[1 + place] as ward, ({wards})[1 + place - place % 3] as near,
       (array['gp-armley', 'food-bank', 'housing', 'hospital'])[1 + n % 4] as partner, n % 20 < 2 as waits
from (select n, now() - interval '182 days' + n::bigint * {step} * interval '1 millisecond' as at,
             n % array_length({wards}, 1) as place
      from generate_series({first}, {last}) as n) as numbered;

create temp table stored_need as
select n, referral_id, at, ward, near, partner, uuidv7(at - now()) as need_id, need,
       (array['device', 'skills', 'connectivity', 'champion'])[need + 2 * (n % 2)] as kind, waits and need = 2 as waits
from stored cross join generate_series(1, 2) as need;

-- Ids are kept 30 days and what was said 35: of half a year, one in five, all of the last 28 days.
insert into inbox (event_id, consumer, taken_at)
select uuidv7(recent), current_database(), now() + recent
from (select (at - now()) * 0.15 as recent from stored where n % 5 = 0) as heard cross join generate_series(1, {heard});

insert into said (position, topic, key, headers, value, said_at)
select n::bigint * 10 + fact - 100000000, current_database(), referral_id::text::bytea, repeat('h', 400),
       repeat('v', 450)::bytea, now() + (at - now()) * 0.15
from stored cross join generate_series(1, {said}) as fact where n % 5 = 0;

insert into key_version (topic, key, version)
select current_database(), referral_id::text, 8 from stored where {said} > 0;
