-- What was claimed or ended stays in an index for as long as some snapshot may still see it: a backup, a long report.
-- These let the statements that look for the first or the last of what is open begin beside it, and not walk over it.

-- No stage of a job that has ended waits, so a claim begins at the lowest rank of an open job.
create index job_open_rank on job (rank) where status in ('pending', 'processing');

-- Virtual time is the highest rank that runs. Few stages run at one time: those of one node are found among all.
drop index stage_running;
create index stage_running on stage (rank) where state = 'running';
