-- A node is also a member of a cluster that knows its nodes by itself.

-- What the operator wants of it. It belongs to the node and not to one of its lives: a restart keeps it. It is forgotten
-- with the row, a week after the node was last seen.
alter table node add column schedulability text not null default 'schedulable'
    check (schedulability in ('schedulable', 'cordoned', 'draining'));

-- Its life among the members, so that they can tell whose lease this row is; 0 when it is no member.
alter table node add column member_epoch bigint not null default 0 check (member_epoch >= 0);
