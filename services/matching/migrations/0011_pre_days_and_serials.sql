set local lock_timeout = '5s';

-- Days of the week: those on which a place gives help, and those on which a person can be helped. None is any.
alter table need add column days text[] not null default '{}';
alter table place add column days text[] not null default '{}';

create or replace function suits(n need, p place) returns boolean
language sql immutable parallel safe
return n.kind = p.kind
    and (p.wards = '{}' or coalesce(n.ward = any (p.wards), false))
    and n.requirements <@ p.requirements
    and (n.languages = '{}' or p.languages = '{}' or n.languages && p.languages)
    and (n.formats = '{}' or p.formats = '{}' or n.formats && p.formats)
    and (p.open_to = '{}' or n.partner = any (p.open_to))
    and (p.scheme is null or p.scheme = any (n.schemes))
    and (n.barred = '{}' or p.partner <> all (n.barred))
    and (n.days = '{}' or p.days = '{}' or n.days && p.days);

-- Units that a place names. One row is one unit: it is in stock, or out, and then with one person at most. Which person,
-- is known for as long as anything can still be said of it.
create table unit (
    partner text not null,
    serial text not null,
    place_id text not null,
    is_out boolean not null default false,
    offer_id uuid references offer constraint unit_one_a_person unique,
    primary key (partner, serial),
    foreign key (partner, place_id) references place,
    constraint unit_with_somebody_is_out check (is_out or offer_id is null)
);
create index unit_of_place on unit (partner, place_id);

-- squawk-ignore require-concurrent-index-deletion
drop index offer_lent;
-- squawk-ignore require-concurrent-index-creation
create index offer_not_back on offer (partner, until, offer_id) where state in ('lent', 'unwiped');

-- `unwiped`: it is back, and taken until it is wiped.
-- squawk-ignore ban-drop-constraint
alter table offer drop constraint offer_state;
alter table offer add constraint offer_state check (
    state in (
        'awaiting', 'open', 'accepted', 'in-progress', 'declined', 'expired', 'withdrawn', 'taken-back', 'refused',
        'handed-back', 'failed', 'ended', 'lent', 'unwiped', 'returned', 'lost'
    )
) not valid;
