-- What a job is charged is added, not updated. The row of a client's month was updated twice for every job, and under an old
-- snapshot (a backup, a long report) each of these updates walked over every version that the snapshot kept.
--
-- A client has used what stands in tenant_usage and in its entries. Every node adds them up now and then. Where a client has a
-- limit its entries are read with each submit; where it has none nothing is read.
--
-- Nodes of the release before go on charging tenant_usage itself, and see an entry when it was added up, some seconds later;
-- what they correct of it before that may be lost.
create table usage_entry (
    id bigint generated always as identity primary key,
    tenant text collate "C" not null,
    month date not null,
    -- Below zero where a video was shorter than it was guessed to be.
    seconds double precision not null
);
create index usage_entry_tenant on usage_entry (tenant, month);

-- A correction may be added up before what it corrects. Sums are told as zero at least.
alter table tenant_usage drop constraint tenant_usage_seconds_check;
