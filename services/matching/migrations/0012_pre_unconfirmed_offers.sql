set local lock_timeout = '5s';

-- What staff were to confirm was held without an end: its day may have gone by, and is done with at once.
insert into due (type, key, value, correlation, due_at)
select 'Due', offer_id::text, convert_to(json_build_object('offer_id', offer_id, 'unconfirmed', true)::text, 'UTF8'),
       gen_random_uuid()::text, expires_at
from offer where state = 'awaiting';
