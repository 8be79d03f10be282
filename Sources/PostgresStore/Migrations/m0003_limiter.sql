-- What the rate limiter's buckets owe, so that a restart of a node, or of all, does not give every client a fresh burst.
-- Kept by node: whoever saved a debt last reads it when it comes back, and others read it when that node is gone.
create table limiter_debt (
    policy text collate "C" not null,
    subject text collate "C" not null,
    holder text collate "C" not null,
    -- When the bucket is full again.
    ends_at timestamptz not null,
    primary key (policy, subject)
) with (fillfactor = 80);
create index limiter_debt_holder on limiter_debt (holder, policy, subject);
create index limiter_debt_ends_at on limiter_debt (ends_at);
