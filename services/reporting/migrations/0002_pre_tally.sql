set local lock_timeout = '5s';

-- How many needs have each code of each measure now, and of how many people they are: `need`, counted as it changes.
-- A code that no need has is not there. Where this is empty it is counted anew from `need`.
create table tally (
    measure text not null,
    code text not null,
    needs bigint not null,
    people bigint not null,
    primary key (measure, code)
);
