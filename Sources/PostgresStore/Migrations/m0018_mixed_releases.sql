-- While nodes of the release before still work beside this one.

-- Their upkeep takes a client for one without terms that has only a plan, or minutes of its own.
create function keep_granted_minutes() returns trigger language plpgsql as $$
begin
    if old.plan is not null or old.minutes_max is not null then return null; end if;
    return old;
end $$;
create trigger tenant_keeps_minutes before delete on tenant for each row execute function keep_granted_minutes();

-- Jobs that they take in are charged no minutes, so there is nothing of them to correct. The same holds for jobs that were under way
-- when minutes began to be counted.
alter table job add column is_charged boolean not null default false;
