set local lock_timeout = '5s';

-- That a message arrived, and how a task went.
-- squawk-ignore ban-drop-constraint
alter table notification drop constraint notification_result_check;
alter table notification add constraint notification_result_known check (
    result in ('sent', 'delivered', 'failed', 'withheld', 'call-requested', 'call-completed')
) not valid;

-- How it went, as people said: one row for each time of asking.
create table feedback (
    referral_id uuid not null,
    asked text not null,
    need_id uuid not null,
    goal_met text not null,
    online text not null,
    at timestamptz not null,
    primary key (referral_id, asked)
);
