set local lock_timeout = '5s';

-- Days that went by without the next action that was promised for them.
create table stall (
    referral_id uuid not null,
    need_id uuid not null,
    due_on date not null,
    owner text not null,
    primary key (need_id, due_on)
);
create index stall_referral_id on stall (referral_id);
