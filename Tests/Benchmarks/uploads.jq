# The report of Tests/Benchmarks/uploads: takes $thresholds, and for each side what each round and the crowd measured.

def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
def rounded: . * 100 | round | . / 100 | tostring;
def row: "| " + join(" | ") + " |";
def table($head): ($head | row), ($head | map("---") | row), .[];
def line($name; $runs): [$name, ($runs | map(.megabytesPerSecond) | median | rounded),
    ($runs | map(.megabytesPerSecond) | "\(min | rounded) to \(max | rounded)"),
    ($runs | map(.cpuSecondsPerGiB) | median | rounded)] | row;
def verdict($figures): . as { key: $name, value: $bound } | $figures[$name] as $figure
    | [$name, ($figure | rounded),
        (if $bound.atMost != null then "at most \($bound.atMost)" else "at least \($bound.atLeast)" end),
        (if $figure <= ($bound.atMost // infinite) and $figure >= ($bound.atLeast // -infinite) then "ok"
        else "MISSES ITS BOUND" end)] | row;

# Each of ours against the one of nginx in the same round.
([range($node | length) | $node[.].megabytesPerSecond / $nginx[.].megabytesPerSecond] | median) as $uploadToNginx
| ($nodeCrowd[0].megabytesPerSecond / $nginxCrowd[0].megabytesPerSecond) as $crowdToNginx
| { $uploadToNginx, $crowdToNginx, nodeMemoryMB: $peak } as $figures
| ([line("nginx, one upload"; $nginx), line("node, one upload"; $node), line("nginx, \($parallel) at once"; $nginxCrowd),
    line("node, \($parallel) at once"; $nodeCrowd)] | table(["", "MB a second", "of the rounds", "CPU seconds a GiB"])), "",
([$thresholds[0].uploads | to_entries[] | verdict($figures)] | table(["figure", "measured", "threshold", ""]))
