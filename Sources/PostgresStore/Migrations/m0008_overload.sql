-- How busy a region is, and how its nodes are by their own account.

-- What a node says of itself with every heartbeat: the level of overload that it sees, and why it claims nothing.
alter table node add column condition jsonb;

-- What jobs cost is measured on those that ended last.
create index job_ready_ended_at on job (ended_at) where status = 'ready';
