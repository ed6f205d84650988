set local lock_timeout = '5s';

-- What somebody is told, once. No address and no words: those are asked for and made at the moment of sending.
create table message (
    id uuid primary key,
    referral_id uuid not null,
    need_id uuid not null,
    audience text not null check (audience in ('person', 'referrer')),
    status text not null,
    kind text not null,
    cause uuid not null,
    created_at timestamptz not null,
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'failed', 'withheld', 'call-requested')),
    channel text,
    reason text,
    settled_at timestamptz,
    constraint message_told_once unique (need_id, audience, status, cause),
    constraint message_settled check ((state = 'waiting') = (settled_at is null))
);
-- A need may wait, be offered and wait again: only the first waiting is told.
create unique index message_first_waiting on message (need_id, audience) where status = 'on-hold';
create index message_referral_id on message (referral_id);

-- Somebody is to tell this person by voice, on paper, face to face or through the referrer.
create table call_task (
    id uuid primary key,
    referral_id uuid not null,
    need_id uuid not null,
    message_id uuid not null unique references message (id),
    channel text not null check (channel in ('phone', 'letter', 'via-referrer', 'in-person', 'sms')),
    about text not null,
    created_at timestamptz not null,
    claimed_by text,
    claimed_at timestamptz,
    outcome text check (outcome in ('reached', 'no-answer', 'wrong-number', 'declined')),
    closed_at timestamptz,
    constraint call_task_claimed check ((claimed_by is null) = (claimed_at is null)),
    constraint call_task_closed check ((outcome is null) = (closed_at is null)),
    constraint call_task_closed_by_its_claimer check (closed_at is null or claimed_by is not null)
);
create index call_task_open on call_task (id) where closed_at is null;
create index call_task_referral_id on call_task (referral_id);
