-- What follows from a published effect outside the tables of jobs happens once: it is written in the transaction that
-- publishes, and taken away in the one that does it (transactional outbox: Richardson, "Microservices Patterns", 2018,
-- chapter 3).
create table outbox (
    id bigint generated always as identity primary key,
    -- Who does it; each takes its own.
    consumer text not null,
    job text collate "C" not null,
    effect jsonb not null,
    at timestamptz not null
);
create index outbox_consumer on outbox (consumer, id);

-- How jobs ended, each end counted once. Outlives the jobs.
create table tally (
    -- UTC
    day date not null,
    region text not null,
    name text collate "C" not null,
    count bigint not null,
    primary key (day, region, name)
);
