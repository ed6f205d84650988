set local lock_timeout = '5s';

-- An erasure names the referral.
-- squawk-ignore require-concurrent-index-creation
create index need_referral on need (referral_id);
