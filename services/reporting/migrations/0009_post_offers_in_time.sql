set local lock_timeout = '5s';

-- Who was passed over is told by one walk through all offers in time.
-- squawk-ignore require-concurrent-index-deletion
drop index offer_kind_rank;
