set local lock_timeout = '5s';

-- The message that a referral came by, so that what the door keeps of it is found.
alter table referral add column submission_id text;
update referral set submission_id = door.submission_id
from door
where door.answer_type = 'furthest.partner.ReferralAcknowledged.v1' and door.partner = referral.partner
    and (convert_from(door.answer, 'UTF8')::jsonb ->> 'referral_id')::uuid = referral.id;
-- squawk-ignore require-concurrent-index-creation
create index referral_person_ref on referral (person_ref);

-- Who asked for a person, or had them erased, and why. Rows are only added.
create table person_audit (
    id bigint generated always as identity primary key,
    person_ref uuid not null,
    done text not null check (done in ('exported', 'erased')),
    who text not null,
    why text not null,
    at timestamptz not null
);
create index person_audit_person_ref on person_audit (person_ref);
do $$
begin
    execute format('revoke update, delete, truncate on person_audit from %I', current_setting('furthest.app_role'));
end
$$;

-- Referrals that are forgotten. One that was erased before this database knew it has no person.
create table erasure (
    referral_id uuid primary key,
    person_ref uuid,
    received_at timestamptz,
    erased_at timestamptz not null
);
create index erasure_person_ref on erasure (person_ref);

-- Which service has forgotten it, and when it did so last.
create table erasure_confirmation (
    referral_id uuid not null,
    service text not null,
    confirmed_at timestamptz not null,
    primary key (referral_id, service)
);
