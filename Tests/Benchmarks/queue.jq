# The report of Tests/Benchmarks/queue: takes $thresholds and, for each side, what it measured in each round.

def median: sort | if length == 0 then null else (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2 end;
def mean: if length == 0 then null else add / length end;
def rounded: if . == null then "-" elif . == infinite then "never" elif . >= 100 then round else . * 100 | round | . / 100 end | tostring;
def row: "| " + join(" | ") + " |";
def table($head): ($head | row), ($head | map("---") | row), .[];
def spread(f): if length == 0 then "-" else map(f) | "\(min | rounded) to \(max | rounded)" end;
# One figure of each round from both sides of it.
def pairs($one; $other; f): [range([($one | length), ($other | length)] | min) | [$one[.], $other[.]] | f] | median;

# Loss of rate in percent while the snapshot was held, from the 25th to the 85th second: the last twenty seconds of it against
# the twenty before it.
def loss($from): if length == 0 then null
    else .[0] as $run | [$run[$from][5:25] // [], $run[$from][65:85] // []] | map(mean)
    | if .[0] == null or .[1] == null then null else 100 * (1 - .[1] / .[0]) end end;
def perSecond: map(. + (if .ticks then { rates: [.ticks as $t | range(0; ($t | length); 10) | $t[.:. + 10] | add] } else {} end));

# Seconds from when the server accepted connections until a second began in which the rate was nine tenths of what it was in
# the five seconds before the crash.
def recovery($run; $restart):
    ($run.tickMilliseconds) as $tick | ($run.ticks) as $ticks
    | (($restart.began - $run.startedAtMilliseconds) / $tick | floor) as $fell
    | (($restart.accepts - $run.startedAtMilliseconds) / $tick | floor) as $back
    | ($ticks[$fell - 50:$fell] | mean) as $before
    | first((range($back; ($ticks | length) - 9) | select(($ticks[.:. + 10] | mean) >= 0.9 * $before)), null)
    | if . == null then infinite else [0, ((. * $tick + $run.startedAtMilliseconds) - $restart.accepts) / 1000] | max end;

def verdict($figures): . as { key: $name, value: $bound } | $figures[$name] as $figure
    | [$name, ($figure | rounded),
        (if $bound.atMost != null then "at most \($bound.atMost)" else "at least \($bound.atLeast)" end),
        (if $figure == null then "NOT MEASURED"
        elif $figure <= ($bound.atMost // infinite) and $figure >= ($bound.atLeast // -infinite) then "ok"
        else "MISSES ITS BOUND" end)] | row;
def deadEach($runs; count; $dead; f): pairs($runs; $dead; (.[1] | f) / (.[0] | count));

pairs($ours; $theirSteps; .[0].stagesPerSecond / .[1].jobsPerSecond) as $stagesToChains
| pairs($ours; $theirs; .[0].stagesPerSecond / .[1].jobsPerSecond) as $stagesToSingleJobs
| deadEach($ours; .stages; $oursDead; .dead) as $deadTuplesPerStage
| ($oursHeld | perSecond | loss("rates")) as $snapshotLossPercent
| ($theirsHeld | loss("rates")) as $theirLoss
| ($claims[0].p99) as $claimMillisecondsP99
| pairs($noisy; $alone; .[0].jobMillisecondsP95 / .[1].jobMillisecondsP95) as $victimWaitToAlone
| ($noisy | map(.noisePercent) | min) as $noisePercent
| (if ($crashed | length) == 0 then [] else [$restarts[] as $restart | recovery($crashed[0]; $restart)] end) as $recoveries
| ($recoveries | max) as $secondsToFullRate
| { $stagesToChains, $stagesToSingleJobs, $deadTuplesPerStage, $snapshotLossPercent, $claimMillisecondsP99,
    $victimWaitToAlone, $noisePercent, $secondsToFullRate } as $figures
| (if ($ours | length) > 0 then
    ([["tijera", ($ours | map(.stagesPerSecond) | median | rounded), ($ours | spread(.stagesPerSecond)),
            (deadEach($ours; .stages; $oursDead; .dead) | rounded), (deadEach($ours; .stages; $oursDead; .changed) | rounded)],
        ["PgQueuer, twelve steps a job", ($theirSteps | map(.jobsPerSecond) | median | rounded),
            ($theirSteps | spread(.jobsPerSecond)), "", ""],
        ["PgQueuer, single jobs", ($theirs | map(.jobsPerSecond) | median | rounded), ($theirs | spread(.jobsPerSecond)),
            (deadEach($theirs; .jobs; $theirsDead; .dead) | rounded),
            (deadEach($theirs; .jobs; $theirsDead; .changed) | rounded)]] | map(row)
        | table(["\($workers) workers, \($batch) at a time", "empty stages a second", "of the rounds", "dead tuples each",
            "updated and deleted each"])), "",
    "Dead tuples of the last round by table: \($oursDead[-1].tables | tojson) and \($theirsDead[-1].tables | tojson).", ""
else empty end),
(if $theirLoss then "While a snapshot is held PgQueuer loses \($theirLoss | rounded) %, tijera \($snapshotLossPercent | rounded) %.", ""
else empty end),
(if $claims[0] then
    "\($claims[0].claims) claims by another node: median \($claims[0].median | rounded) ms, p99 \($claims[0].p99 | rounded) ms,"
    + " at most \($claims[0].max | rounded) ms.", ""
else empty end),
(if ($noisy | length) > 0 then
    "A client's job takes \($alone | map(.jobMillisecondsP95) | median | rounded) ms alone (p95) and"
    + " \($noisy | map(.jobMillisecondsP95) | median | rounded) ms beside one that has \($noisePercent | rounded) % of the load.", ""
else empty end),
(if ($recoveries | length) > 0 then
    "Seconds until the full rate was back after each crash: \($recoveries | map(rounded) | join(", ")).", ""
else empty end),
([$thresholds[0].queue | to_entries[] | verdict($figures)] | table(["figure", "measured", "threshold", ""]))
