set local lock_timeout = '5s';

-- Where few of the first suit a place that is for the whole city, who is next is found by what they ask.
-- squawk-ignore require-concurrent-index-creation
create index need_queue_of_asked
on need (kind, requirements, languages, formats, days, schemes, lane, rank_key, need_id) where state = 'waiting';
-- squawk-ignore require-concurrent-index-deletion
drop index need_queue_of_schemes;
