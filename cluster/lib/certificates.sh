# shellcheck shell=bash disable=SC2034,SC2153
# The cluster's own certificate authority, and one certificate a node with its name in the SAN. Sourced after say.sh.
# ECDSA P-256 keys, made by openssl; nothing here leaves the data folder.

readonly CA_DAYS=3650
readonly NODE_DAYS=397

make_ca() {
    local folder=$1
    mkdir -p "$folder"
    chmod 700 "$folder"
    [ ! -s "$folder/ca.pem" ] || return 0
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "$CA_DAYS" -subj "/CN=tijera cluster CA" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout "$folder/ca.key.new" -out "$folder/ca.pem.new"
    mv "$folder/ca.key.new" "$folder/ca.key"
    mv "$folder/ca.pem.new" "$folder/ca.pem"
}

# make_certificate FOLDER NAME REGION: valid for the node's name and for loopback; remade when a month or less is left.
make_certificate() {
    local folder=$1 name=$2 region=$3
    if [ -s "$folder/$name.pem" ] && openssl x509 -checkend $((30 * 86400)) -noout -in "$folder/$name.pem" >/dev/null; then return 0; fi
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
        -keyout "$folder/$name.key.new" -out "$folder/$name.csr"
    openssl x509 -req -in "$folder/$name.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial -days "$NODE_DAYS" \
        -extfile <(printf '%s\n' \
            "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" "extendedKeyUsage=serverAuth,clientAuth" \
            "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1,URI:tijera://node/$region/$name") \
        -out "$folder/$name.pem.new"
    mv "$folder/$name.key.new" "$folder/$name.key"
    mv "$folder/$name.pem.new" "$folder/$name.pem"
    rm -f "$folder/$name.csr"
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
