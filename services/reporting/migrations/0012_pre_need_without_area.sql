set local lock_timeout = '5s';

-- The ward of a need is that of its referral.
-- squawk-ignore ban-drop-constraint
alter table need drop constraint need_is_known;
alter table need add constraint need_has_kind check (status is null or kind is not null) not valid;
