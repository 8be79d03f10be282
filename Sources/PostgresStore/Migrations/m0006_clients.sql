-- What clients may have: weights, priorities, and a limit on jobs under way. See decision 9.

alter table tenant
    -- Of its batch jobs, which queue apart.
    add column finish_batch double precision not null default 0,
    -- Granted by an operator.
    add column weight double precision not null default 1 check (weight > 0),
    add column jobs_max integer check (jobs_max > 0);

alter table job
    add column priority text not null default 'interactive' check (priority in ('interactive', 'batch')),
    -- Waits without stages until its client has fewer jobs under way.
    add column held boolean not null default false;
create index job_open on job (tenant) where status in ('pending', 'processing');
create index job_held on job (tenant, rank, id) where held;

-- Of the job, so that a claim looks at one table.
alter table stage add column batch boolean not null default false;
