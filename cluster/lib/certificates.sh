# shellcheck shell=bash disable=SC2034,SC2153
# The cluster's own certificate authority, and one certificate a node with its name in the SAN. Sourced after say.sh.
# ECDSA P-256 keys, made by openssl; nothing here leaves the data folder.

readonly CA_DAYS=3650
readonly NODE_DAYS=397

# make_ca FOLDER [NAME]
make_ca() {
    local folder=$1 name=${2:-tijera cluster CA}
    mkdir -p "$folder"
    chmod 700 "$folder"
    [ ! -s "$folder/ca.pem" ] || return 0
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "$CA_DAYS" -subj "/CN=$name" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout "$folder/ca.key.new" -out "$folder/ca.pem.new"
    mv "$folder/ca.key.new" "$folder/ca.key"
    mv "$folder/ca.pem.new" "$folder/ca.pem"
}

# issue FOLDER NAME USE SAN: by the folder's authority; remade when a month or less is left.
issue() {
    local folder=$1 name=$2 use=$3 san=$4
    if [ -s "$folder/$name.pem" ] && openssl x509 -checkend $((30 * 86400)) -noout -in "$folder/$name.pem" >/dev/null; then return 0; fi
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
        -keyout "$folder/$name.key.new" -out "$folder/$name.csr"
    openssl x509 -req -in "$folder/$name.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial -days "$NODE_DAYS" \
        -extfile <(printf '%s\n' \
            "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" "extendedKeyUsage=$use" "subjectAltName=$san") \
        -out "$folder/$name.pem.new"
    mv "$folder/$name.key.new" "$folder/$name.key"
    mv "$folder/$name.pem.new" "$folder/$name.pem"
    rm -f "$folder/$name.csr"
}

# make_certificate FOLDER NAME REGION: a node's, valid for its name and for loopback.
make_certificate() {
    issue "$1" "$2" serverAuth,clientAuth "DNS:$2,DNS:localhost,IP:127.0.0.1,URI:tijera://node/$3/$2"
}

# make_door_certificate FOLDER: what clients of this machine's nodes see. By an authority of its own: whoever trusts it, a browser
# too, must not trust the cluster's, and no door's key may pass for a node's.
make_door_certificate() {
    umask 077
    make_ca "$1" "tijera door CA"
    issue "$1" door serverAuth "DNS:localhost,IP:127.0.0.1,IP:::1"
}

make_certificates() {
    local folder=$1
    shift
    umask 077
    make_ca "$folder"
    [ -e "$folder/denied" ] || cat >"$folder/denied" <<'TEXT'
# Certificates that are not let in any more, one a line; nodes read this file again when it changes.
# serial:0A1B...    openssl x509 -noout -serial -in node.pem
# sha256:8F43...    openssl x509 -noout -fingerprint -sha256 -in node.pem
TEXT
    for node in "$@"; do make_certificate "$folder" "${node%%:*}" "${node##*:}"; done
}
