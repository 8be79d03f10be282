-- Tells whether the server has crashed since a connection was opened. After a crash the number of a transaction that was
-- lost may be given to another one, so that its outcome says nothing about ours; an unlogged table is emptied by exactly
-- that recovery, and by a standby's promotion, and by no orderly restart.
create unlogged table server_life (
    only_one boolean primary key default true check (only_one),
    id text not null default gen_random_uuid()::text
);

create function server_life() returns text language plpgsql as $$
begin
    insert into server_life default values on conflict do nothing;
    return (select id from server_life);
end $$;
