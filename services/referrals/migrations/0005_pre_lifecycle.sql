set local lock_timeout = '5s';

-- What matching needs to know of a referral, so that it can be told anew when something changes.
alter table referral
    add column languages text[] not null default '{}',
    add column schemes text[] not null default '{}',
    add column lane text not null default 'routine' check (lane in ('urgent', 'routine')),
    add column lane_until date,
    add column not_before date;

-- `hold` is why referrals keeps a need from being offered anything, `barred` the providers it is never offered to.
alter table need
    add column requirements text[] not null default '{}',
    add column languages text[] not null default '{}',
    add column formats text[] not null default '{}',
    add column barred text[] not null default '{}',
    add column home_visit_cleared boolean not null default false,
    add column hold text,
    add column hold_until date;

-- What was asked before is found in what was said of it, where that is still kept.
with said_then as (
    select key, value from said where topic = 'referrals' and headers like '%ReferralReceived%'
    union all
    select key, value from outbox where topic = 'referrals' and headers like '%ReferralReceived%'
), told as (
    select convert_from(value, 'UTF8')::jsonb as data from said_then
)
update referral set
    languages = array(select jsonb_array_elements_text(data -> 'languages')),
    schemes = array(select jsonb_array_elements_text(data -> 'schemes')),
    not_before = (data ->> 'not_before')::date
from told where referral.id = (data ->> 'referral_id')::uuid;
with said_then as (
    select key, value from said where topic = 'referrals' and headers like '%ReferralReceived%'
    union all
    select key, value from outbox where topic = 'referrals' and headers like '%ReferralReceived%'
), asked as (
    select jsonb_array_elements(convert_from(value, 'UTF8')::jsonb -> 'needs') as data from said_then
)
update need set
    requirements = array(select jsonb_array_elements_text(data -> 'requirements')),
    languages = array(select jsonb_array_elements_text(data -> 'languages')),
    formats = array(select jsonb_array_elements_text(data -> 'formats'))
from asked where need.id = (data ->> 'need_id')::uuid;

update need set hold = 'not-before', hold_until = not_before
from referral
where referral.id = referral_id and not_before > current_date and status in ('requested', 'on-hold');

-- Once a day the needs are found whose day went by. Of this kind, an index does not slow down their moves.
-- squawk-ignore require-concurrent-index-creation
create index need_next_on on need using brin (next_on);
create table day_check (day date primary key);
insert into day_check (day) select next_on + 1 from need where next_on is not null union select hold_until from need where hold is not null;
insert into due (type, key, value, correlation, due_at)
select 'CheckDay', day::text, convert_to(json_build_object('day', day)::text, 'UTF8'), gen_random_uuid()::text,
       day::timestamp at time zone 'Europe/London'
from day_check;

-- Versions of the priority policy that staff adopted. Rows are only added: what a version gave stays explained.
create table policy (
    version text primary key,
    points_a_group int not null,
    area_steps jsonb not null,
    default_decile int not null,
    groups jsonb not null,
    approved_by text not null,
    approved_on date not null,
    equality_note text not null,
    words text not null,
    adopted_at timestamptz not null
);

-- Acts of staff upon a referral, with why. Rows are only added.
create table staff_act (
    id bigint generated always as identity primary key,
    referral_id uuid not null,
    need_id uuid,
    act text not null,
    who text not null,
    why text not null,
    at timestamptz not null
);
create index staff_act_referral_id on staff_act (referral_id);
do $$
begin
    execute format('revoke update, delete, truncate on staff_act, policy from %I', current_setting('furthest.app_role'));
end
$$;
