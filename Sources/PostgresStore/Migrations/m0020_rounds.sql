-- What is long is read where it is needed, what took how long is told by rounds of work, and options that a node does not know do not
-- reach it.

-- What clients wrote in a revision stays in its body, where nodes of the release before read and write it. With every look at a job
-- only the rest is read, which the server keeps apart by itself.
alter table revision
    add column facts jsonb not null generated always as (body - 'edits'::text) stored,
    add column has_captions boolean not null
        generated always as (coalesce(jsonb_typeof(body -> 'edits' -> 'captions') = 'array', false)) stored,
    add column has_scenes boolean not null
        generated always as (coalesce(jsonb_typeof(body -> 'edits' -> 'scenes') = 'array', false)) stored;

-- Clips of which something is being made: few at any time.
create index clip_pending on clip (job) where revision ->> 'pending' is not null;

-- How long a job had ended before it went on again. Of those that were revised already it is told by their events.
alter table job add column rested_ms bigint not null default 0 check (rested_ms >= 0);
update job set rested_ms = told.rested_ms
from (
    select job, sum(ms_of(at) - ms_of(ended)) as rested_ms
    from (
        select job, kind, at, lag(at) over ends as ended, lag(kind) over ends as kind_before
        from event
        where kind in ('job.ready', 'job.failed', 'job.revised', 'job.retried')
            and job in (select job from revision)
        window ends as (partition by job order by id)
    ) as turns
    where kind in ('job.revised', 'job.retried') and kind_before in ('job.ready', 'job.failed') and at >= ended
    group by job
) as told
where told.job = job.id;

-- The options that a node can carry out (`JobOptions.known`). Null: those of the releases that did not say so.
alter table node add column options text[];
