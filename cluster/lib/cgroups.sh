# shellcheck shell=bash
# Control groups that bound processors, of either version. Sourced after say.sh.

# find_cpu_groups: sets CPU_GROUPS to the folder under which groups that bound processors can be made; fails where none can.
find_cpu_groups() {
    local folder
    # Version 2, if the processors are under it: the children of a group get what it hands on.
    while read -r folder; do
        grep -qw cpu "$folder/cgroup.controllers" 2>/dev/null || continue
        echo +cpu >"$folder/cgroup.subtree_control" 2>/dev/null || continue
        CPU_GROUPS=$folder CPU_GROUPS_VERSION=2
        may_make_group && return 0
    done < <(findmnt -rnt cgroup2 -o TARGET)
    while read -r folder; do
        CPU_GROUPS=$folder CPU_GROUPS_VERSION=1
        may_make_group && return 0
    done < <(findmnt -rnt cgroup -O cpu -o TARGET)
    return 1
}

may_make_group() { make_cpu_group "tijera-$$-try" 50 2>/dev/null && remove_cpu_group "tijera-$$-try"; }

# make_cpu_group NAME PERCENT: its members together get so much of one core at most, and up to there before all others.
make_cpu_group() {
    local folder=$CPU_GROUPS/$1
    mkdir -p "$folder" || return 1
    if [ "$CPU_GROUPS_VERSION" = 2 ]; then
        echo "$(($2 * 1000)) 100000" >"$folder/cpu.max" && echo 10000 >"$folder/cpu.weight"
    else
        echo 100000 >"$folder/cpu.cfs_period_us" && echo $(($2 * 1000)) >"$folder/cpu.cfs_quota_us" &&
            echo 262144 >"$folder/cpu.shares"
    fi
}

# move_to_cpu_group NAME PID: the process with all that descends from it; what it starts later is born there.
move_to_cpu_group() {
    local child
    echo "$2" >"$CPU_GROUPS/$1/cgroup.procs" || return 1
    for child in $(pgrep -P "$2" || true); do
        # It may have ended in this moment.
        move_to_cpu_group "$1" "$child" 2>/dev/null || true
    done
}

# throttled_seconds NAME: how long the quota has held its members back.
throttled_seconds() {
    awk '$1 == "throttled_usec" { printf "%.0f", $2 / 1e6 } $1 == "throttled_time" { printf "%.0f", $2 / 1e9 }' \
        "$CPU_GROUPS/$1/cpu.stat"
}

remove_cpu_group() { [ ! -d "$CPU_GROUPS/$1" ] || rmdir "$CPU_GROUPS/$1"; }
