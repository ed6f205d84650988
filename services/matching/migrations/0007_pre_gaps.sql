set local lock_timeout = '5s';

-- Why a need is a gap, since when, and what the nearest places lack: true where `is_gap`.
alter table need
    add column gap_since timestamptz,
    add column gap_reasons text[] not null default '{}',
    add column gap_lacks text[] not null default '{}';
