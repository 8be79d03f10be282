# The report of Tests/Benchmarks/calls: takes $thresholds and, for each side, what it measured in each round.

def median: sort | if length == 0 then null else (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2 end;
def medians: . as $rounds | (first // {} | keys) | map(. as $key | { ($key): ($rounds | map(.[$key]) | median) }) | add // {};
# How many times the other side's figure ours is, round by round.
def times($ours; $other; f; g):
    if ($ours | length) == 0 or ($other | length) == 0 then null
    else [range($ours | length) | ($ours[.] | f) / ($other[.] | g)] | median end;

def rounded: if . == null then "-" elif . >= 100 then round else . * 100 | round | . / 100 end | tostring;
def row: "| " + join(" | ") + " |";
def table($head): ($head | row), ($head | map("---") | row), .[];
def spread(f): if length == 0 then "-" else map(f) | "\(min | rounded) to \(max | rounded)" end;

def peer($name): medians as $all
    | [$name, ($all.callsPerSecond | rounded), spread(.callsPerSecond), ($all.callMicrosecondsMedian | rounded),
        ($all.callMicrosecondsP99 | rounded)] | row;
def verdict($figures): . as { key: $name, value: $bound } | $figures[$name] as $figure
    | [$name, ($figure | rounded),
        (if $bound.atMost != null then "at most \($bound.atMost)" else "at least \($bound.atLeast)" end),
        (if $figure == null then "NOT MEASURED"
        elif $figure <= ($bound.atMost // infinite) and $figure >= ($bound.atLeast // -infinite) then "ok"
        else "MISSES ITS BOUND" end)] | row;

times($calls; $grpc; .callsPerSecond; .callsPerSecond) as $callsToGRPC
| times($calls; $nio; .callsPerSecond; .callsPerSecond) as $callsToNIO
| times($calls; $grpc; .callMicrosecondsMedian; .callMicrosecondsMedian) as $callMedianToGRPC
| times($limits; $redis; .clusterDecisionsPerSecond; .redisDecisionsPerSecond) as $decisionsToRedis
| times($limits; $redis; .clusterDecisionsPerSecond; .redisPipelinedDecisionsPerSecond) as $decisionsToPipelinedRedis
| (($calls | medians) + ($limits | medians) + { $callsToGRPC, $callMedianToGRPC }) as $figures
| ([($calls | peer("tijera")), ($grpc | peer("grpc-swift-2")), ($nio | peer("bare NIO and TLS"))]
    | table(["100-byte calls", "a second, 256 in flight", "of the rounds", "one at a time, median us", "p99 us"])),
"",
"tijera makes \($callsToGRPC | rounded) times the calls of grpc-swift-2 and \($callsToNIO | rounded) times those of bare NIO.",
(if $decisionsToRedis then
    "Its limiter on three nodes makes \($decisionsToRedis | rounded) times the decisions of Redis,"
    + " and \($decisionsToPipelinedRedis | rounded) times those of Redis with 16 in a pipeline."
else empty end),
"",
([$thresholds[0] | .calls, .limits | to_entries[] | verdict($figures)] | table(["figure", "median", "threshold", ""]))
