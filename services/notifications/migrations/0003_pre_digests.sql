set local lock_timeout = '5s';

-- Offers that wait for the answer of their provider.
create table open_offer (
    offer_id uuid primary key,
    referral_id uuid not null,
    provider text not null,
    expires_at timestamptz not null
);
create index open_offer_provider on open_offer (provider);
create index open_offer_referral_id on open_offer (referral_id);

-- On which days a provider is written to, once, of the offers that wait.
create table digest (
    provider text not null,
    day date not null,
    state text not null default 'planned' check (state in ('planned', 'sent', 'failed', 'nothing')),
    primary key (provider, day)
);
