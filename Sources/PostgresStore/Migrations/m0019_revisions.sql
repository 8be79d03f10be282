-- What clients asked for after their jobs were done: clips rendered anew, and clips made by hand.

-- Never changed: how a revision stands is told by the stages of its slot.
create table revision (
    id text collate "C" primary key,
    job text collate "C" not null references job on delete cascade,
    slot integer not null check (slot between 1 and 999),
    body jsonb not null,
    unique (job, slot)
);

-- How a clip stands that was revised. Null: as the job made it.
alter table clip add column revision jsonb;

-- Nodes of the release before do not write it: no revision is taken in while one of them could claim its stages.
alter table node add column revises boolean not null default false;
