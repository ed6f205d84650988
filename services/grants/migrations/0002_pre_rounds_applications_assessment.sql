set local lock_timeout = '5s';

-- Who gives the money: its id and name, for what is published.
alter table fund add column funder_id text;
alter table fund add column funder_name text;

-- `rules` are the questions, criteria and limits of the round, as they were sent.
alter table round add column stage text not null default 'applications';
alter table round add column rules jsonb not null default '{}';
-- squawk-ignore constraint-missing-not-valid
alter table round add constraint round_stage check (
    stage in ('applications', 'assessing', 'deciding', 'finished', 'cancelled')
);

-- Money that another funder adds to the budget. Rows are only added.
create table top_up (
    id bigint generated always as identity primary key,
    round_id text not null references round (round_id),
    funder_id text not null,
    funder_name text not null,
    pence bigint not null constraint top_up_adds check (pence > 0),
    at timestamptz not null
);
create index top_up_round_id on top_up (round_id);

-- What an organisation works on, until it submits it; `applicant` is whose key it is.
create table draft (
    application_id uuid primary key,
    round_id text not null references round (round_id),
    organisation_id text not null,
    applicant text not null,
    body jsonb not null constraint draft_is_small check (octet_length(body::text) <= 262144),
    started_at timestamptz not null,
    saved_at timestamptz not null
);
create index draft_round_id on draft (round_id);
create index draft_organisation_id on draft (organisation_id);

-- `body` is what was submitted; `stakes` are the organisations behind it: itself, its hosts, its partners.
-- `points` are hundredths, `gap_points` whole; `gap_weight` says why, frozen when assessment opens.
alter table application add column body jsonb not null default '{}';
alter table application add column stakes text[] not null default '{}';
alter table application add column register text;
alter table application add column changes_until timestamptz;
alter table application add column points bigint;
alter table application add column gap_points bigint not null default 0;
alter table application add column gap_weight jsonb;
alter table application add column needs_moderation boolean not null default false;
alter table application add column reserved_pence bigint;
alter table application add column paid_pence bigint not null default 0;
alter table application add column decided_under text;
alter table application add column subsidy jsonb;
-- Each of these comes again below, with the states that there are now.
-- squawk-ignore ban-drop-constraint
alter table application drop constraint application_status;
-- squawk-ignore ban-drop-constraint
alter table application drop constraint application_awarded;
-- squawk-ignore ban-drop-constraint
alter table application drop constraint application_decided;
-- squawk-ignore constraint-missing-not-valid
alter table application add constraint application_status check (
    status in ('submitted', 'changes-requested', 'assessed', 'awarded', 'reserve', 'declined', 'withdrawn')
);
-- squawk-ignore constraint-missing-not-valid
alter table application add constraint application_awarded check ((status = 'awarded') = (awarded_pence is not null));
-- squawk-ignore constraint-missing-not-valid
alter table application add constraint application_reserved check ((status = 'reserve') = (reserved_pence is not null));
-- squawk-ignore constraint-missing-not-valid
alter table application add constraint application_paid_within_award check (
    paid_pence between 0 and coalesce(awarded_pence, 0)
);
-- An organisation has one application in a round that is not withdrawn.
-- squawk-ignore require-concurrent-index-creation
create unique index application_once on application (round_id, organisation_id) where status <> 'withdrawn';

-- What was attached. It is in no event, and goes nowhere but to who may read the application.
create table attachment (
    application_id uuid not null,
    name text not null,
    media_type text not null,
    content bytea not null constraint attachment_is_small check (octet_length(content) between 1 and 5242880),
    at timestamptz not null,
    primary key (application_id, name)
);

-- Every decision: who, when, why. Rows are only added.
create table history (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    by text not null,
    what text not null,
    round_id text not null,
    application_id uuid,
    why text,
    details jsonb not null default '{}'
);
create index history_round_id on history (round_id, id);
create index history_application_id on history (application_id, id);

create table assessor (
    assessor text primary key,
    organisations text[] not null,
    interests text[] not null,
    wards text[] not null,
    is_active boolean not null
);

create table declared_conflict (
    application_id uuid not null references application (application_id),
    assessor text not null,
    reason text not null,
    at timestamptz not null,
    primary key (application_id, assessor)
);

create table assignment (
    application_id uuid not null references application (application_id),
    assessor text not null references assessor (assessor),
    at timestamptz not null,
    primary key (application_id, assessor)
);
create index assignment_assessor on assignment (assessor);

-- A score is given once. Rows are only added.
create table score (
    application_id uuid not null references application (application_id),
    assessor text not null references assessor (assessor),
    scores jsonb not null,
    points bigint not null constraint score_points check (points between 0 and 10000),
    comment text not null,
    at timestamptz not null,
    primary key (application_id, assessor)
);
create index score_assessor on score (assessor);

-- Which partner referred, and from where: whose gap it is, and from which wards few are referred.
create table referral (
    referral_id uuid primary key,
    partner text not null,
    area text not null,
    received_at timestamptz not null
);
create index referral_area on referral (area, received_at);

-- Partners of the network by their names: an applicant may be one, and its own referrals do not count for it.
create table partner (
    partner text primary key,
    name text not null
);

-- Wards by their deprivation: 1 is the most deprived.
create table area (
    code text primary key,
    name text not null,
    decile bigint not null
);

do $$
begin
    execute format(
        'revoke update, delete, truncate on history, score, top_up from %I', current_setting('furthest.app_role')
    );
end
$$;
