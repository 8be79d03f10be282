-- One decision of a rate limiter in Redis: the generic cell rate algorithm, virtual scheduling (ITU-T I.371), as
-- Sources/Limits/Rules/GCRA.swift has it. KEYS[1]: the bucket. ARGV: limit, window in microseconds, burst, quantity.
-- Answers with {1 or 0, units left, microseconds until the same check is admitted}.
--
-- A bucket is its theoretical arrival time, in microseconds of Redis' clock; one that is full again expires.
-- Doubles hold whole microseconds until the year 2255.
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local burst, quantity = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local unit = window / limit
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local after = arrival + quantity * unit
local wait = after - (now + burst * unit)
if wait > 0 then
    return {0, math.floor((now + burst * unit - arrival) / unit), math.ceil(wait)}
end
redis.call('SET', KEYS[1], string.format('%.3f', after), 'PX', math.max(1, math.ceil((after - now) / 1000)))
return {1, math.floor((now + burst * unit - after) / unit), 0}
