set local lock_timeout = '5s';

-- What people told of themselves so that it is seen who is reached. It stands apart from their referral: whoever decides
-- something does not read it. It goes with the person.
create table monitoring (
    person_ref uuid primary key references person on delete cascade,
    age text,
    sex text,
    ethnicity text,
    disability text
);

-- Months of which it was said how many people told what. Each is said once.
create table people_counted (
    month date primary key,
    counted_at timestamptz not null
);
