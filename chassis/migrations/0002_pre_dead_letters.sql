set local lock_timeout = '5s';

-- What it takes to run a dead letter again beside its body: key, time and headers of its record. Sealed, too.
alter table dead_letter add column envelope bytea;

-- Who settled which dead letters, when and why; `expired` are those that nobody settled in time. Nothing is ever
-- changed here: the service's role may only add.
create table dead_letter_audit (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    who text not null,
    why text not null,
    done text not null check (done in ('replayed', 'discarded', 'failed', 'expired')),
    consumer text not null,
    topic text not null,
    key text not null,
    letters bigint[] not null
);
do $$
begin
    execute format(
        'revoke update, delete, truncate on dead_letter_audit from %I', current_setting('furthest.app_role')
    );
end $$;
