set local lock_timeout = '5s';

-- Nothing is counted by these.
-- squawk-ignore ban-drop-column
alter table referral drop column groups, drop column area_step, drop column policy, drop column lane;
-- squawk-ignore ban-drop-column
alter table need drop column area;
