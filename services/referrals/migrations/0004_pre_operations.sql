set local lock_timeout = '5s';

-- A partner that was removed keeps its row, so that its id is never given again.
alter table partner add column removed_at timestamptz;

-- After an older backup was restored an old safe-contact rule may be back: nobody is contacted until staff release it.
create table contact_hold (
    held_at timestamptz primary key,
    released_at timestamptz,
    released_by text,
    why text
);
