set local lock_timeout = '5s';

-- Providers that a need is never offered to.
alter table need add column barred text[] not null default '{}';

-- An offer is taken back where the need is held, and refused where the person says no; the need is queued again.
-- squawk-ignore ban-drop-constraint
alter table offer drop constraint offer_state;
-- All rows are valid: the list grew.
alter table offer add constraint offer_state check (
    state in ('open', 'accepted', 'in-progress', 'declined', 'expired', 'withdrawn', 'handed-back', 'ended',
              'taken-back', 'refused')
) not valid;

create or replace function suits(n need, p place) returns boolean
language sql immutable parallel safe
return n.kind = p.kind
    and (p.wards = '{}' or coalesce(n.ward = any (p.wards), false))
    and n.requirements <@ p.requirements
    and (n.languages = '{}' or p.languages = '{}' or n.languages && p.languages)
    and (n.formats = '{}' or p.formats = '{}' or n.formats && p.formats)
    and (p.open_to = '{}' or n.partner = any (p.open_to))
    and (p.scheme is null or p.scheme = any (n.schemes))
    and (n.barred = '{}' or p.partner <> all (n.barred));
