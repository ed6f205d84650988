set local lock_timeout = '5s';

-- What of an award is paid when, and against which evidence. Payments stay within it.
create table instalment (
    application_id uuid not null references application (application_id),
    nth bigint not null,
    due_on date not null,
    pence bigint not null constraint instalment_is_money check (pence > 0),
    evidence text,
    paid_pence bigint not null default 0,
    primary key (application_id, nth),
    constraint instalment_paid_within check (paid_pence between 0 and pence)
);

-- Every payment, and every return of money (below zero). Rows are only added.
create table payment (
    id bigint generated always as identity primary key,
    application_id uuid not null references application (application_id),
    nth bigint,
    pence bigint not null,
    evidence text,
    by text not null,
    at timestamptz not null
);
create index payment_application_id on payment (application_id);

-- Reports that an organisation owes, and what it reported.
create table report (
    application_id uuid not null references application (application_id),
    due_on date not null,
    reported_at timestamptz,
    spent_pence bigint,
    people_helped bigint,
    account text,
    primary key (application_id, due_on)
);

-- Places that a grant pays for, as their provider opened or changed them; `correlation` is what the gaps that closed
-- by it carry, too.
create table funded_opening (
    correlation text primary key,
    application_id uuid not null references application (application_id),
    partner text not null,
    place_id text not null,
    kind text not null,
    capacity bigint not null,
    at timestamptz not null
);
create index funded_opening_application_id on funded_opening (application_id);

alter table open_gap add column closed_by text;
-- squawk-ignore require-concurrent-index-creation
create index open_gap_closed_by on open_gap (closed_by) where closed_by is not null;

do $$
begin
    execute format('revoke update, delete, truncate on payment from %I', current_setting('furthest.app_role'));
end
$$;
