-- Clients share the cluster fairly: start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair Queueing", 1996) over
-- jobs. A job's rank is its start tag: it stands still, so what came earlier is overtaken by a bounded amount of work.

-- One row a client, written when it submits. Lock order: after idempotency, before job.
create table tenant (
    id text collate "C" primary key,
    -- Virtual time at which everything it has asked for so far will have had its turn.
    finish double precision not null
);

-- Seconds of virtual time. Jobs of before this migration come first, in their old order.
alter table job add column rank double precision not null default 0;
-- Of the job, so that a claim looks at one table.
alter table stage add column rank double precision not null default 0;

drop index stage_ready_near;
drop index stage_ready;
create index stage_ready_near on stage (region, rank, job, position, index) where state = 'ready';
create index stage_ready on stage (rank, job, position, index) where state = 'ready';
drop index job_pending;
create index job_pending on job (rank, id) where status = 'pending';
-- Read by every node when the cluster changes.
create index job_processing on job (id) where status = 'processing';
-- Asked before bytes are swept.
create index upload_transcript_blob on upload ((transcript->>'blob')) where transcript is not null;
-- Dead letters.
create index job_error on job (id) where status = 'error';
