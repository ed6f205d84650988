set local lock_timeout = '5s';

-- Who is next for a place that is open to some partners only, or that gives what a scheme pays for.
-- squawk-ignore require-concurrent-index-creation
create index need_queue_of_partner on need (kind, partner, lane, rank_key, need_id) where state = 'waiting';
-- squawk-ignore require-concurrent-index-creation
create index need_queue_of_schemes on need (kind, lane, rank_key, need_id) where state = 'waiting' and schemes <> '{}';
