# shellcheck shell=bash disable=SC2034,SC2153
# A private SeaweedFS under the data folder, for a cluster whose blobs stand in S3: loopback only. Sourced after say.sh and install.sh.

readonly S3_BUCKET=tijera

# s3_setting NAME: ports and keys are chosen once and kept, so that nodes need no new configuration.
s3_setting() { sed -n "s/^$1=//p" "$DATA/s3/settings"; }

seaweed_pid() {
    local pid
    pid=$(cat "$DATA/s3/weed.pid" 2>/dev/null) || return 0
    if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "-s3.config=$DATA/s3/s3.json"; then echo "$pid"; fi
    return 0
}

# free_s3_port: one that nobody listens on, nor on the one 10,000 above, where SeaweedFS speaks gRPC.
free_s3_port() {
    local port
    for port in $(shuf -i 20000-29999 -n 200); do
        if [ -z "$(port_owner "$port")$(port_owner $((port + 10000)))" ]; then echo "$port" && return 0; fi
    done
    return 1
}

create_seaweed() {
    local name
    mkdir -p "$DATA/s3/data"
    chmod 700 "$DATA/s3"
    (
        umask 077
        for name in master volume filer s3; do printf '%s=%s\n' "$name" "$(free_s3_port)"; done
        printf 'access=tijera\nsecret=%s\n' "$(openssl rand -hex 24)"
    ) >"$DATA/s3/settings.new"
    mv "$DATA/s3/settings.new" "$DATA/s3/settings"
    (umask 077 && jq -n --arg access "$(s3_setting access)" --arg secret "$(s3_setting secret)" \
        '{identities: [{name: "tijera", credentials: [{accessKey: $access, secretKey: $secret}],
            actions: ["Admin", "Read", "List", "Tagging", "Write"]}]}' >"$DATA/s3/s3.json")
}

start_seaweed() {
    setsid --fork bash -c 'echo $$ >"$1/weed.pid"; shift; exec "$@"' - "$DATA/s3" "$S3_SERVERS/bin/weed" server \
        -dir="$DATA/s3/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 -master.port="$(s3_setting master)" \
        -volume.port="$(s3_setting volume)" -filer -filer.port="$(s3_setting filer)" -s3 -s3.port="$(s3_setting s3)" \
        -s3.config="$DATA/s3/s3.json" -master.volumeSizeLimitMB=128 -volume.max=200 -volume.preStopSeconds=0 \
        -s3.port.iceberg=0 -s3.port.lance=0 </dev/null >>"$DATA/s3/weed.log" 2>&1 8>&- 9>&-
    make_s3_bucket
}

# The first write is answered when all parts of the server have found each other.
make_s3_bucket() {
    local tries answer
    for ((tries = 0; tries < 300; tries++)); do
        answer=$(curl -s --noproxy '*' -o /dev/null -w '%{http_code}' -X PUT --aws-sigv4 aws:amz:us-east-1:s3 \
            --user "$(s3_setting access):$(s3_setting secret)" "http://127.0.0.1:$(s3_setting s3)/$S3_BUCKET" || true)
        case $answer in 200 | 409) return 0 ;; esac
        [ -n "$(seaweed_pid)" ] || break
        sleep 0.2
    done
    tail -n 20 "$DATA/s3/weed.log"
    return 1
}

# stop_seaweed: SeaweedFS takes its time; what it has answered for is on the disk.
stop_seaweed() {
    local pid tries
    pid=$(seaweed_pid)
    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null || return 0
    for ((tries = 0; tries < 300; tries++)); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
}

# s3_node_settings NAME: the part of a node's configuration that says where blobs stand. Its disk is its own.
s3_node_settings() {
    cat <<YAML
  kind: s3
  directory: "$DATA/nodes/$1/local"
  s3:
    endpoint: "http://127.0.0.1:$(s3_setting s3)"
    bucket: $S3_BUCKET
    accessKey: "$(s3_setting access)"
    secretKey: "$(s3_setting secret)"
    credentials: settings
YAML
}
