-- Of the attempts at a stage, those that a node died under. They count towards an end of their own: restarts of nodes do not use up
-- the tries that failures have, and failures are not told as deaths.
--
-- Nodes of the release before go on counting both as attempts.
alter table stage add column crashes integer not null default 0;
