# shellcheck shell=bash disable=SC2034,SC2153
# Words to the person at the terminal, and the ways out. Sourced by every script of this folder.
# Each step prints one line that says what is waited for, and then how long it took.

set -Eeuo pipefail

TIJERA_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TIJERA_CACHE=${TIJERA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tijera}
readonly TIJERA_HOME TIJERA_CACHE
current_step=""

note() { printf '  %s\n' "$*" >&2; }

# die MESSAGE [HINT...]: says what went wrong and what to do, and leaves with 1.
die() {
    [ -z "$current_step" ] || { printf ' failed\n' >&2; current_step=""; }
    printf '\n%s: %s\n' "$(basename "$0")" "$1" >&2
    shift
    for hint in "$@"; do printf '  %s\n' "$hint" >&2; done
    exit 1
}

# step TITLE COMMAND...: runs the command with its output in a log, and shows the log's end if it fails.
step() {
    local title=$1 started log code
    shift
    mkdir -p "$TIJERA_CACHE/logs" || die "cannot write to $TIJERA_CACHE" "Set TIJERA_CACHE to a folder that you may write to."
    log="$TIJERA_CACHE/logs/$(printf '%s' "$1" | tr -c 'A-Za-z0-9_\n' '-')-$$.log"
    started=$(date +%s%N)
    current_step=$title
    printf '  %s ...' "$title" >&2
    # Not inside an `if`: bash would then go on after a command of the step that failed, and a half-made thing would
    # pass for a whole one.
    trap - ERR
    set +e
    (set -e; "$@") >"$log" 2>&1
    code=$?
    set -e
    name_the_unexpected
    if [ "$code" -ne 0 ]; then
        current_step=""
        printf ' failed\n\n' >&2
        tail -n 25 "$log" | sed 's/^/    /' >&2
        if grep -qi 'no space left on device' "$log"; then
            printf '\n  The disk is full: free some space (%s) and run this again.\n' "$(df -h --output=target,avail "$TIJERA_HOME" | tail -n 1)" >&2
        fi
        printf '\n%s: "%s" did not work. The whole log: %s\n' "$(basename "$0")" "$title" "$log" >&2
        exit 1
    fi
    current_step=""
    rm -f "$log"
    printf ' %s s\n' "$(elapsed "$started")" >&2
}

# elapsed NANOSECONDS: seconds since then, with one decimal.
elapsed() { awk -v then="$1" -v now="$(date +%s%N)" 'BEGIN { printf "%.1f", (now - then) / 1e9 }'; }

interrupted() {
    trap - INT TERM
    [ -z "$current_step" ] || printf ' stopped\n' >&2
    printf '\n%s: stopped by you. Nothing is broken: run it again to go on from here.\n' "$(basename "$0")" >&2
    exit 130
}
trap interrupted INT TERM
# Nothing ends without a word: a command that fails where no failure was expected is named.
name_the_unexpected() {
    trap 'printf "\n%s: line %s: \"%s\" ended with %s. This is a mistake in the script: please report it.\n" "$0" "$LINENO" "$BASH_COMMAND" "$?" >&2' ERR
}
name_the_unexpected

# need_space FOLDER MEGABYTES WHAT: refuses to begin what cannot be finished.
need_space() {
    local free
    mkdir -p "$1" || die "cannot create $1" "Choose another folder, or make it writable."
    free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$2" ] || die "$3 needs $2 MB on the disk of $1, and only $free MB are free." "Free some space and run this again."
}
