-- Answers to requests that came with an Idempotency-Key, but for new jobs, whose keys stand in `idempotency`. Whoever holds a
-- row that runs has claimed it until `expires_at` and renews that; a row that has expired is as good as none.
create table idempotent_reply (
    tenant text collate "C" not null,
    key text collate "C" not null,
    route text collate "C" not null,
    request_sha256 text collate "C" not null check (request_sha256 ~ '^[0-9a-f]{64}$'),
    state text collate "C" not null check (state in ('running', 'done')),
    -- Drawn for each claim: who lost it cannot write over who took it.
    holder text collate "C" not null,
    status integer check (status between 200 and 599),
    headers jsonb,
    body text check (octet_length(body) <= 65536),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (tenant, key),
    check ((state = 'done') = (status is not null and headers is not null and body is not null))
);
create index idempotent_reply_expires_at on idempotent_reply (expires_at);
