set local lock_timeout = '5s';

-- When an offer was accepted: that it was withdrawn later changes nothing of that.
alter table offer add column accepted_at timestamptz;
update offer set accepted_at = ended_at where state = 'accepted';
