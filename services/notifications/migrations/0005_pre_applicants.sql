set local lock_timeout = '5s';

-- An organisation is told of its application: `status` says what, `pence` and `day` are those of what happened.
alter table message add column application_id uuid;
alter table message add column pence bigint;
alter table message add column day date;
-- What is not of a need is not read by who knows needs alone.
-- squawk-ignore ban-drop-not-null
alter table message alter column referral_id drop not null;
-- squawk-ignore ban-drop-not-null
alter table message alter column need_id drop not null;
-- squawk-ignore ban-drop-not-null
alter table message alter column kind drop not null;
-- It comes again below, with applicants.
-- squawk-ignore ban-drop-constraint
alter table message drop constraint message_audience_check;
alter table message add constraint message_audience_known check (
    audience in ('person', 'referrer', 'applicant')
) not valid;
alter table message add constraint message_of_a_need_or_an_application check (
    case when audience = 'applicant' then application_id is not null and referral_id is null
    else application_id is null and referral_id is not null and need_id is not null and kind is not null end
) not valid;
-- squawk-ignore require-concurrent-index-creation
create index message_application_id on message (application_id) where application_id is not null;
-- squawk-ignore ban-drop-not-null
alter table rung alter column referral_id drop not null;
-- squawk-ignore ban-drop-not-null
alter table call_task alter column referral_id drop not null;
-- squawk-ignore ban-drop-not-null
alter table call_task alter column need_id drop not null;
