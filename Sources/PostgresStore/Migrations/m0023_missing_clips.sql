-- Clips that jobs were published without: dead letters, beside the jobs in an error.
--
-- What has a failure is in it, and not what is in state 'error', which is the same clips: the state changes with every stage of
-- a clip, and what stands in an index cannot be updated in place. A failure is written once for a clip that failed, and never for
-- one that did not.
--
-- Nodes of the release before do not ask for it, and fill it as they write clips.
create index clip_failed on clip (job) where failure is not null;
