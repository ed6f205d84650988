set local lock_timeout = '5s';

-- Most places help in some wards only: who is next for one of them is read from the queues of these.
-- squawk-ignore require-concurrent-index-creation
create index need_queue_of_ward on need (kind, ward, lane, rank_key, need_id) where state = 'waiting';
