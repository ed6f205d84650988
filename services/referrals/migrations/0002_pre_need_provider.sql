set local lock_timeout = '5s';

-- Who helps, while somebody does: the provider that may ask how to reach the person.
alter table need add column provider text;
