-- Keys of clients (`RegisteredKey`). Of a key only its SHA-256 is here: who reads this table can use none of them.
-- Nothing slower is needed, because a key is 256 random bits and no dictionary holds it. Rows stay when keys are
-- revoked or expire.
create table api_key (
    -- Public: names the key in lists and logs.
    id text collate "C" primary key check (id ~ '^k_[0-9A-Za-z]{12}$'),
    sha256 text collate "C" not null unique check (sha256 ~ '^[0-9a-f]{64}$'),
    client text collate "C" not null check (client ~ '^[a-z0-9._-]{1,64}$'),
    note text check (char_length(note) <= 256),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    -- Nodes gather uses: to within a minute or two.
    last_used_at timestamptz
);
create index api_key_created_at on api_key (created_at, id);
create index api_key_client on api_key (client, created_at, id);
