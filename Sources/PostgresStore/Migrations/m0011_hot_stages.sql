-- A stage is updated in place: what changes in it stands in no index, so its old versions are taken away by whoever reads
-- the page next, and not by vacuum (heap-only tuples). See decision 13. What is ready or runs is found through its job: open
-- jobs are few, and their stages lie side by side in the primary key.
--
-- Nodes of the release before go on working beside this one; their statements find the same rows, more slowly.

drop index stage_ready;
drop index stage_ready_near;
drop index stage_running;
drop index stage_result;
-- Room on the page for the three versions of a row, should a snapshot that is held open keep them all.
alter table stage set (fillfactor = 35);

-- Which jobs a result is kept for. Never updated; gone with the job.
create table job_result (
    job text collate "C" not null references job on delete cascade,
    result text collate "C" not null references result,
    primary key (job, result)
);
create index job_result_result on job_result (result);
insert into job_result (job, result) select distinct job, result from stage where result is not null;
alter table stage drop constraint stage_result_fkey;

-- A trigger, because a stage whose result could be deleted must not exist, whichever release wrote it.
create function keep_results() returns trigger language plpgsql as $$
begin
    insert into job_result (job, result) select distinct job, result from written where result is not null
    on conflict do nothing;
    return null;
end $$;
create trigger stage_keeps_results after update on stage referencing new table as written
    for each statement execute function keep_results();

-- The order of claims.
drop index job_open_rank;
create index job_open_rank on job (rank, id) where status in ('pending', 'processing') and not held;
-- Virtual time is the lowest rank that runs.
create index job_processing_rank on job (priority, rank) where status = 'processing';
-- Has ended, and stages of it may still run.
alter table job add column lingers boolean not null default false;
update job set lingers = true where ended_at is not null
    and exists (select from stage where stage.job = job.id and stage.state = 'running');
create index job_lingers on job (id) where lingers;

-- Of registrations of one process the latest counts, in whatever order they arrive.
alter table node add column registration integer not null default 0;

-- Declared as what it is, `stable`, so that the planner puts the expression in place of the call. Microseconds are whole
-- numbers in a float8 until the year 2255, and integer division drops what is below a millisecond.
create or replace function ms_of(moment timestamptz) returns bigint
    language sql stable parallel safe return round(date_part('epoch', moment) * 1000000)::bigint / 1000;
