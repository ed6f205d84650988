set local lock_timeout = '5s';

-- The gaps as they are shown, once a day: who asks again and again learns nothing of who came in between.
create table gap_of_day (
    day date primary key,
    cells jsonb not null
);
