-- Uploads on their way: what has arrived, and who may add to it (`UploadSession`).
create table upload_session (
    id text collate "C" primary key,
    tenant text not null,
    kind text not null check (kind in ('whole', 'partial', 'final')),
    file_name text not null,
    metadata text not null,
    pieces text[] not null,
    sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
    bytes_max bigint not null check (bytes_max > 0),
    parts_max integer not null check (parts_max > 0),
    keep_seconds integer not null check (keep_seconds > 0),
    lease_seconds integer not null check (lease_seconds > 0),
    created_at timestamptz not null,
    length bigint check (length >= received),
    received bigint not null check (received >= 0),
    parts integer not null check (parts >= 0),
    state text not null check (state in ('receiving', 'finishing', 'finished')),
    epoch integer not null check (epoch >= 0),
    holder text,
    held_until timestamptz not null,
    is_asked boolean not null,
    expires_at timestamptz not null
) with (fillfactor = 70);
create index upload_session_tenant on upload_session (tenant) where state <> 'finished';
create index upload_session_expires_at on upload_session (expires_at);

-- Bytes of a session, without a gap. A final session names the blobs of its pieces.
create table upload_part (
    session text collate "C" not null references upload_session on delete cascade,
    start bigint not null check (start >= 0),
    bytes bigint not null check (bytes > 0),
    blob text collate "C" not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    primary key (session, start)
);
create index upload_part_blob on upload_part (blob);
