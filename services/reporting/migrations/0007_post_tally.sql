set local lock_timeout = '5s';

-- What was counted as it changed is now counted when it is published.
-- squawk-ignore ban-drop-table
drop table tally;
