-- What an attempt took (processor time, bytes, memory), with the event that ends it: written once, never changed, and
-- dropped with its day. Null in events that end no attempt, and where nobody could tell.
alter table event add column effort jsonb;
