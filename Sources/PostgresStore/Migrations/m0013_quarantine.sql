-- Uploads in which malware was found: what was kept from decoders, when, and for whom. The audit trail as well, so rows
-- point at nothing that may be deleted.
create table quarantine (
    upload text collate "C" primary key,
    sha256 text collate "C" not null,
    bytes bigint not null,
    signature text not null,
    job text collate "C" not null,
    tenant text not null,
    node text not null,
    found_at timestamptz not null default now(),
    -- Its bytes were removed; from then on equal ones are looked at anew.
    emptied_at timestamptz
);
create index quarantine_sha256 on quarantine (sha256) where emptied_at is null;
create index quarantine_found_at on quarantine (found_at) where emptied_at is null;
