set local lock_timeout = '5s';

-- How many decisions of its kind had been made when a need joined the queue and when it left it without help, and when
-- an offer ended: so whoever waited when a decision was made can be told. An offer keeps the terms it was made on.
alter table need
    add column joined_after bigint not null default 0,
    add column left_after bigint;
alter table offer
    add column ended_after bigint,
    add column terms jsonb;
