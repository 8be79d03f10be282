# shellcheck shell=bash disable=SC2034,SC2153
# A private PostgreSQL 15 under the data folder: its own socket, no TCP, fsync on, never root. Sourced after say.sh.

PG_BIN=$(ls -d /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin 2>/dev/null | head -n 1 || true)

# Root may not run PostgreSQL: then the packaged user `postgres` does.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/tmp PATH="$PG_BIN:$PATH" "$@"
    else
        env PATH="$PG_BIN:$PATH" "$@"
    fi
}

# Decides where the database, its socket and its log live. Sets PG_DATA, PG_SOCKET, PG_LOG and DATABASE_URL.
locate_postgres() {
    local data=$1 key
    key=$(printf '%s' "$data" | sha256sum | cut -c1-12)
    PG_DATA=$data/postgres
    PG_SOCKET=$data/postgres-socket
    PG_LOG=$data/postgres.log
    if [ "$(id -u)" = 0 ] && ! as_postgres test -x "$data"; then
        # A folder above is closed to the user postgres (a home folder, say).
        PG_DATA=/var/lib/tijera/$key/postgres
        PG_SOCKET=/var/lib/tijera/$key/socket
        PG_LOG=/var/lib/tijera/$key/postgres.log
    fi
    # A socket's path may have 107 bytes, and ".s.PGSQL.5432" goes on top.
    [ ${#PG_SOCKET} -le 90 ] || PG_SOCKET=/tmp/tijera-$key
    DATABASE_URL="postgresql:///tijera?host=$PG_SOCKET&user=tijera"
}

# Folders that the server's user owns and nobody else may look into.
own_folder() {
    mkdir -p "$1"
    [ "$(id -u)" != 0 ] || chown postgres:postgres "$1"
    chmod 700 "$1"
}

postgres_is_up() { [ -d "$PG_DATA" ] && as_postgres pg_ctl -D "$PG_DATA" status >/dev/null 2>&1 && as_postgres pg_isready -q -h "$PG_SOCKET"; }

create_postgres() {
    local fresh=$PG_DATA.new
    mkdir -p "$(dirname "$PG_DATA")"
    rm -rf "$fresh"
    own_folder "$fresh"
    as_postgres initdb --pgdata "$fresh" --username tijera --auth trust --encoding UTF8 --locale C.UTF-8 --data-checksums
    cat >>"$fresh/postgresql.conf" <<CONF

# Written by cluster/up.
listen_addresses = ''
unix_socket_directories = '$PG_SOCKET'
max_connections = 120
shared_buffers = '128MB'
fsync = on
synchronous_commit = on
password_encryption = 'scram-sha-256'
log_min_duration_statement = '1s'
log_line_prefix = '%m [%p] %a '
CONF
    # The name appears only when the cluster is whole, so a half-finished earlier run is made anew.
    mv "$fresh" "$PG_DATA"
}

start_postgres() {
    own_folder "$PG_SOCKET"
    : >>"$PG_LOG"
    [ "$(id -u)" != 0 ] || chown postgres "$PG_LOG"
    # pg_ctl hands its standard output on to the server: keep it out of our pipes and locks.
    as_postgres pg_ctl -D "$PG_DATA" -l "$PG_LOG" -w -t 60 start </dev/null >/dev/null 2>&1 8>&- 9>&- || {
        tail -n 20 "$PG_LOG"
        return 1
    }
    as_postgres psql -h "$PG_SOCKET" -U tijera -d postgres -Atqc "select 1 from pg_database where datname = 'tijera'" | grep -q 1 ||
        as_postgres createdb -h "$PG_SOCKET" -U tijera tijera
}

erase_postgres() {
    rm -rf "$PG_DATA" "$PG_SOCKET" "$PG_LOG"
    # The folder of its own, where it had to have one; the data folder is the caller's to remove.
    case $PG_DATA in /var/lib/tijera/*) rmdir "$(dirname "$PG_DATA")" ;; esac
}

stop_postgres() { as_postgres pg_ctl -D "$PG_DATA" -w -t 60 -m fast stop; }
