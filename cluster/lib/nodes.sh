# shellcheck shell=bash disable=SC2034,SC2153
# Starting, finding and stopping the nodes of one data folder. Sourced after say.sh.

# node_pid NAME: the pid of the running node, or nothing. A pid file alone proves nothing: pids are used again.
node_pid() {
    local pid
    pid=$(cat "$DATA/nodes/$1/node.pid" 2>/dev/null) || return 0
    if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "node --config $DATA/nodes/$1/node.yaml"; then echo "$pid"; fi
    return 0
}

port_owner() { ss -Hltnp "sport = :$1" 2>/dev/null | head -n 1; }

# peer_port HTTP_PORT: where a node listens for the others; a thousand above where it listens for clients.
peer_port() { if [ "$1" -le 64535 ]; then echo $(($1 + 1000)); else echo $(($1 - 1000)); fi; }

# door_scheme: http, or https where cluster/up was told --tls.
door_scheme() { cat "$DATA/scheme" 2>/dev/null || echo http; }

# door_settings: what a node with TLS has below `http`. No HSTS: a browser would keep it for every port of localhost.
door_settings() {
    [ "$(door_scheme)" = https ] || return 0
    printf '\n  hstsSeconds: 0\n  tls:\n    certificate: "%s"\n    key: "%s"' "$DATA/door/door.pem" "$DATA/door/door.key"
}

# ask_door PORT PATH: what the node of this port answers, if it does.
ask_door() {
    local trust=()
    [ "$(door_scheme)" = http ] || trust=(--cacert "$DATA/door/ca.pem")
    curl -fs --noproxy '*' --max-time 2 "${trust[@]}" "$(door_scheme)://127.0.0.1:$1$2"
}

# write_node_config NAME REGION PORT THREADS SLOTS SEEDS
write_node_config() {
    mkdir -p "$DATA/nodes/$1"
    (umask 077 && : >"$DATA/nodes/$1/node.yaml.new")
    cat >"$DATA/nodes/$1/node.yaml.new" <<YAML
# Written by cluster/up; \`tijera config print --config THIS\` shows every key with its default.
node:
  name: $1
  region: $2
cluster:
  host: 127.0.0.1
  port: $(peer_port "$3")
  seeds: "$6"
  network: local
  certificate: "$DATA/certs/$1.pem"
  key: "$DATA/certs/$1.key"
  authorities: "$DATA/certs/ca.pem"
  denyList: "$DATA/certs/denied"
http:
  host: 127.0.0.1
  port: $3$(door_settings)
store:
  url: "$DATABASE_URL"
blobs:
$(if [ "${BLOBS:-directory}" = s3 ]; then s3_node_settings "$1"; else printf '  directory: "%s"' "$DATA/blobs"; fi)
cpu:
  threads: $4
  machineThreads: $5
  slotsDirectory: "$DATA/cpu-slots"
speech:
  model: "$WHISPER_MODEL"
vision:
  faceModel: "$FACE_MODEL"
admin:
  tokenFile: "$DATA/admin-token"
YAML
    mv "$DATA/nodes/$1/node.yaml.new" "$DATA/nodes/$1/node.yaml"
}

# start_node NAME [PROGRAM]: in a session of its own, so that Ctrl-C in this terminal does not reach it.
start_node() {
    local folder=$DATA/nodes/$1 program=${2:-$TIJERA}
    setsid --fork bash -c 'echo $$ >"$1/node.pid"; exec "$2" node --config "$1/node.yaml"' - "$folder" "$program" \
        </dev/null >>"$folder/node.log" 2>&1 8>&- 9>&-
    node_stamp "$1" "$program" >"$folder/started-with"
}

# What a node runs with: when this changes, cluster/up restarts it.
node_stamp() { stat -c '%Y %s' "${2:-$TIJERA}" && cat "$DATA/nodes/$1/node.yaml"; }

# stop_node NAME: asks, waits for it to hand its work over, and ends it after 20 s.
stop_node() {
    local pid tries
    pid=$(node_pid "$1")
    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null || return 0
    for ((tries = 0; tries < 200; tries++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    if kill -9 "$pid" 2>/dev/null; then echo "$1 did not stop within 20 s and was ended"; fi
    rm -f "$DATA/nodes/$1/node.pid"
}

# wait_ready NAME PORT: until the node answers, or has died.
wait_ready() {
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        ask_door "$2" /readyz >/dev/null && return 0
        if [ "$tries" -gt 10 ] && [ -z "$(node_pid "$1")" ]; then
            echo "node $1 ended while starting; the end of its log:"
            tail -n 15 "$DATA/nodes/$1/node.log"
            return 1
        fi
        sleep 0.2
    done
    echo "node $1 was not ready after 60 s; the end of its log:"
    tail -n 15 "$DATA/nodes/$1/node.log"
    return 1
}
