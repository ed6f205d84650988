set local lock_timeout = '5s';

-- Which ways of reaching somebody are used up, and how it may end.
alter table message add column tried text[] not null default '{}';
-- squawk-ignore ban-drop-constraint
alter table message drop constraint message_state_check;
alter table message add constraint message_state_known check (
    state in (
        'waiting', 'sent', 'delivered', 'failed', 'withheld', 'call-requested', 'reached', 'declined', 'unreached'
    )
) not valid;
-- Everybody is asked once how it went.
-- squawk-ignore require-concurrent-index-creation
create unique index message_asked_once on message (referral_id, status) where status like 'feedback-%';

-- Each way that was tried, with what proves how it went.
create table rung (
    message_id uuid not null references message (id),
    nth int not null check (nth > 0),
    referral_id uuid not null,
    channel text not null,
    state text not null check (state in ('sent', 'open', 'delivered', 'reached', 'failed', 'superseded')),
    evidence text,
    language text,
    began_at timestamptz not null,
    ended_at timestamptz,
    primary key (message_id, nth)
);
create index rung_referral_id on rung (referral_id);

-- A task may be tried again, and be followed by another way.
-- squawk-ignore ban-drop-constraint
alter table call_task drop constraint call_task_message_id_key;
alter table call_task add column rung int not null default 1;
alter table call_task add column tries int not null default 0;
alter table call_task add column not_before timestamptz;
alter table call_task add column reason text;
-- squawk-ignore require-concurrent-index-creation
create unique index call_task_rung on call_task (message_id, rung) where outcome is distinct from 'superseded';
-- squawk-ignore ban-drop-constraint
alter table call_task drop constraint call_task_channel_check;
alter table call_task add constraint call_task_channel_known check (
    channel in ('phone', 'letter', 'via-referrer', 'in-person', 'sms', 'email', 'staff')
) not valid;
-- squawk-ignore ban-drop-constraint
alter table call_task drop constraint call_task_outcome_check;
alter table call_task add constraint call_task_outcome_known check (
    outcome in (
        'reached', 'no-answer', 'wrong-number', 'declined', 'sent', 'given-up', 'no-report', 'superseded'
    )
) not valid;
-- squawk-ignore ban-drop-constraint
alter table call_task drop constraint call_task_closed_by_its_claimer;
alter table call_task add constraint call_task_closed_by_somebody check (
    closed_at is null or claimed_by is not null or channel = 'via-referrer' or outcome = 'superseded'
) not valid;

-- What is known of a referral: who understands what, and which need was helped with last.
create table referral (
    referral_id uuid primary key,
    languages text[] not null default '{}',
    helped_need uuid,
    helped_kind text
);

-- Partners that are written to of their referrals.
create table mailed_partner (
    partner text primary key
);
