set local lock_timeout = '5s';

-- The planner does not use it: an erasure, which is rare, reads all that was said.
-- squawk-ignore require-concurrent-index-deletion
drop index said_key;
