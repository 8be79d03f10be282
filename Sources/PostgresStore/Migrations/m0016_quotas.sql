-- How many minutes of video a client may have looked at in a calendar month (UTC), by plans and by terms of its own.

-- Plans are data: an operator makes, changes and removes them, and clients follow.
create table plan (
    name text collate "C" primary key check (name ~ '^[a-z0-9._-]{1,64}$'),
    -- Null: no limit.
    minutes_max integer check (minutes_max > 0),
    updated_at timestamptz not null default now()
);

alter table tenant
    add column plan text collate "C" references plan (name) on update cascade on delete restrict,
    -- Of its own: stronger than the plan's.
    add column minutes_max integer check (minutes_max > 0);
create index tenant_plan on tenant (plan) where plan is not null;

-- Seconds of the videos of all jobs that a client began in that month. The client's own row comes and goes, this stays.
create table tenant_usage (
    tenant text collate "C" not null,
    month date not null check (extract(day from month) = 1),
    seconds double precision not null check (seconds >= 0),
    primary key (tenant, month)
);
create index tenant_usage_month on tenant_usage (month);
