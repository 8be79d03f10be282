-- Uploads, jobs, their stages and results, the nodes that run them, and what happened.
--
-- Names as in Swift. Identifiers are compared byte by byte (collation "C"), so SQL and Swift sort them alike; jobs sort
-- by age. Lock order, which every transaction keeps: node, idempotency, job, upload, result, stage (by key), event
-- latch. A claim waits for its node's row only and skips whatever else is locked.

create function time_of(milliseconds bigint) returns timestamptz
    language sql immutable parallel safe return to_timestamp(milliseconds / 1000.0::float8);

create function ms_of(moment timestamptz) returns bigint
    language sql immutable parallel safe return floor(extract(epoch from moment) * 1000)::bigint;

-- Ends a transaction that would write over rows that changed since it read them. The client tries it again.
create function expect_rows(actual bigint, expected bigint) returns void language plpgsql as $$
begin
    if actual <> expected then
        raise exception 'expected to change % rows, changed %', expected, actual
            using errcode = 'serialization_failure';
    end if;
end $$;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% never changes once it is published', tg_table_name using errcode = 'restrict_violation';
end $$;

create table upload (
    id text collate "C" primary key,
    file_name text not null,
    bytes bigint not null check (bytes >= 0),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    blob text collate "C" not null,
    transcript jsonb,
    created_at timestamptz not null
);
create index upload_created_at on upload (created_at);
create index upload_blob on upload (blob);

create table job (
    id text collate "C" primary key,
    upload text collate "C" not null references upload,
    region text not null,
    tenant text not null,
    options jsonb not null,
    status text not null check (status in ('pending', 'processing', 'ready', 'error', 'cancelled')),
    failure jsonb,
    notes jsonb not null,
    created_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    check ((status in ('ready', 'error', 'cancelled')) = (ended_at is not null))
) with (fillfactor = 80);
create index job_upload on job (upload);
create index job_pending on job (id) where status = 'pending';

create table idempotency (
    tenant text not null,
    key text not null,
    request_sha256 text not null,
    -- Deferred, because the key is taken before the job is written.
    job text collate "C" not null references job on delete cascade deferrable initially deferred,
    expires_at timestamptz not null,
    primary key (tenant, key)
);
create index idempotency_job on idempotency (job);
create index idempotency_expires_at on idempotency (expires_at);

create table result (
    id text collate "C" primary key,
    body text not null check (octet_length(body) <= 262144),
    blobs text[] not null,
    cache_key text collate "C" unique,
    created_at timestamptz not null default now()
);
-- Which results point at a blob: asked before its bytes are removed.
create index result_blobs on result using gin (blobs);
create trigger result_never_changes before update on result for each row execute function refuse_change();

-- Small and hot: bodies are in `result`, progress is in `node`.
create table stage (
    job text collate "C" not null references job on delete cascade,
    name text not null,
    index integer not null check (index >= 0),
    -- Place of the name in a job, so that SQL sorts keys as Swift does.
    position smallint not null,
    -- Of the job, so that a claim looks at one table.
    region text not null,
    state text not null check (state in ('ready', 'running', 'done', 'failed', 'cancelled')),
    epoch integer not null check (epoch >= 0),
    attempts integer not null check (attempts >= 0),
    holder text,
    holder_epoch integer,
    result text collate "C" references result,
    reused boolean not null,
    failure jsonb,
    opened_at timestamptz not null,
    not_before timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    settled_epoch integer,
    settled text,
    avoided text,
    avoided_until timestamptz,
    primary key (job, name, index),
    check (state <> 'running' or (holder is not null and holder_epoch is not null and started_at is not null)),
    check ((state = 'done') = (result is not null)),
    check ((settled is null) = (settled_epoch is null)),
    check ((avoided is null) = (avoided_until is null))
) with (fillfactor = 70);
create index stage_ready_near on stage (region, job, position, index) where state = 'ready';
create index stage_ready on stage (job, position, index) where state = 'ready';
create index stage_running on stage (holder) where state = 'running';
create index stage_result on stage (result) where result is not null;

create table clip (
    job text collate "C" not null references job on delete cascade,
    ordinal integer not null check (ordinal between 0 and 999),
    state text not null check (state in ('planned', 'rendering', 'ready', 'error')),
    range_start double precision not null,
    range_end double precision not null check (range_start <= range_end),
    title text not null,
    score double precision not null,
    reason text not null,
    signals jsonb not null,
    files jsonb,
    figures jsonb,
    failure jsonb,
    primary key (job, ordinal)
) with (fillfactor = 70);

-- Raised by every start of any node: an epoch never comes back, not even after the node's row was dropped.
create sequence node_epoch as integer;

create table node (
    id text collate "C" primary key,
    region text not null,
    epoch integer not null,
    http text not null,
    version text not null,
    threads integer not null check (threads > 0),
    lease_seconds integer not null check (lease_seconds > 0),
    started_at timestamptz not null,
    seen_at timestamptz not null,
    left_at timestamptz,
    running jsonb not null
) with (fillfactor = 50);

-- Append-only. The numbers of one job's events rise in the order of their commits, because a transaction takes the
-- job's latch (an advisory lock, always its last lock) before it draws them: a reader that has seen number 7 will not
-- find a 6 later.
create sequence event_id as bigint;

create table event (
    id bigint not null default nextval('event_id'),
    job text collate "C" not null,
    at timestamptz not null,
    kind text not null,
    stage_name text,
    stage_index integer,
    node text,
    clip_ordinal integer,
    failure jsonb
) partition by range (at);
create index event_job on event (job, id);
-- The safety net: takes what has no partition, should upkeep not have run for a week.
create table event_default partition of event default;

-- Makes room for the coming days, whole days in UTC. Rows that fell into the net meanwhile move to where they belong.
create function make_event_partitions(days_ahead integer) returns integer language plpgsql as $$
declare
    day date;
    today date := (now() at time zone 'UTC')::date;
    name text;
    low timestamptz;
    high timestamptz;
    made integer := 0;
begin
    for day in select today + step from generate_series(0, days_ahead) as step loop
        name := 'event_' || to_char(day, 'YYYYMMDD');
        continue when to_regclass(name) is not null;
        low := day::timestamp at time zone 'UTC';
        high := (day + 1)::timestamp at time zone 'UTC';
        -- Made beside the table and attached then: that locks writers out of the net only, and only for a moment.
        execute format('create table %I (like event including defaults including indexes)', name);
        lock table event_default in access exclusive mode;
        execute format(
            'with moved as (delete from event_default where at >= %L and at < %L returning *)
             insert into %I select * from moved', low, high, name);
        execute format('alter table event attach partition %I for values from (%L) to (%L)', name, low, high);
        made := made + 1;
    end loop;
    return made;
end $$;

-- Drops the days before `oldest`.
create function drop_event_partitions(oldest timestamptz) returns integer language plpgsql as $$
declare
    name text;
    dropped integer := 0;
begin
    for name in
        select child.relname from pg_inherits join pg_class child on child.oid = inhrelid
        where inhparent = 'event'::regclass and child.relname ~ '^event_[0-9]{8}$'
            and (to_date(right(child.relname, 8), 'YYYYMMDD') + 1)::timestamp at time zone 'UTC' <= oldest
    loop
        execute format('drop table %I', name);
        dropped := dropped + 1;
    end loop;
    delete from event_default where at < oldest;
    return dropped;
end $$;

select make_event_partitions(7);
