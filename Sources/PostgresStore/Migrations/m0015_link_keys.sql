-- Secrets of the cluster with which links to downloads are signed. One signs; those before it are retired, and their links
-- are good for a week more at most.
create table link_key (
    id text collate "C" primary key check (id ~ '^[0-9a-f]{16}$'),
    secret text collate "C" not null check (secret ~ '^[0-9a-f]{64}$'),
    created_at timestamptz not null default now(),
    retired_at timestamptz
);
-- However many nodes make the first one at one moment.
create unique index link_key_signing on link_key ((retired_at is null)) where retired_at is null;
