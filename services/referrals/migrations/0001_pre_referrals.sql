set local lock_timeout = '5s';

create table partner (
    id text primary key,
    name text not null,
    registered_at timestamptz not null
);

-- Keys of partners, staff and services. Only the SHA-256 of a key is kept.
create table access_key (
    id uuid primary key,
    sha256 text not null unique,
    role text not null,
    principal text not null,
    added_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
);

create table area (
    code text primary key,
    name text not null,
    ward text,
    decile int not null check (decile between 1 and 10)
);

create table referral (
    id uuid primary key,
    person_ref uuid not null,
    partner text not null,
    reference text not null,
    area text not null,
    ward text,
    direct_contact boolean not null,
    agreement_by text not null,
    agreement_until date,
    score int not null,
    groups int not null,
    area_step int not null,
    policy text not null,
    received_at timestamptz not null,
    closed_at timestamptz
);
create index referral_partner on referral (partner, id);

-- The only place where a person is known: sealed, with a key of their own that the programme key wraps.
create table person (
    person_ref uuid primary key,
    wrapped_key bytea not null,
    sealed bytea not null
);

create table need (
    id uuid primary key,
    referral_id uuid not null references referral (id),
    kind text not null,
    status text not null,
    reason text,
    outcome text,
    next_by text,
    next_on date,
    next_what text,
    changed_at timestamptz not null
);
create index need_referral_id on need (referral_id);

-- Every move of a need, and every fact that came too late to move it. Rows are only added.
create table need_history (
    id bigint generated always as identity primary key,
    need_id uuid not null,
    fact text not null,
    status text not null,
    reason text,
    superseded boolean not null,
    at timestamptz not null
);
create index need_history_need_id on need_history (need_id);

-- Who asked how to reach a person, for what, and what was answered. Rows are only added.
create table contact_audit (
    id bigint generated always as identity primary key,
    referral_id uuid not null,
    asked_by text not null,
    purpose text not null,
    decision text not null,
    channel text,
    at timestamptz not null
);
create index contact_audit_referral_id on contact_audit (referral_id);

do $$
begin
    execute format(
        'revoke update, delete, truncate on need_history, contact_audit from %I', current_setting('furthest.app_role')
    );
end
$$;
