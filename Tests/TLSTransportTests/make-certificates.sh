#!/usr/bin/env bash
# make-certificates.sh FOLDER: the certificates of these tests. Good ones come from the script that makes a cluster's own;
# the bad ones are made here. `openssl ca` takes dates, which `openssl x509` does only since OpenSSL 3.4.
set -euo pipefail

folder=$1
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=../../cluster/lib/say.sh
. "$here/../../cluster/lib/say.sh"
# shellcheck source=../../cluster/lib/certificates.sh
. "$here/../../cluster/lib/certificates.sh"

make_certificates "$folder" alpha:eu beta:eu
make_certificates "$folder/other" alpha:eu beta:eu
cat "$folder/ca.pem" "$folder/other/ca.pem" >"$folder/both.pem"

cat >"$folder/ca.cnf" <<END
[ca]
default_ca = tests
[tests]
database = $folder/index.txt
serial = $folder/serial
new_certs_dir = $folder
certificate = $folder/ca.pem
private_key = $folder/ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
END
: >"$folder/index.txt"
echo 1000 >"$folder/serial"

# make NAME SAN START END [USE]: a certificate with this SAN (or none), valid between these dates.
make() {
    local name=$1 san=$2 start=$3 end=$4 use=${5:-serverAuth,clientAuth}
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
        -keyout "$folder/$name.key" -out "$folder/$name.csr" 2>/dev/null
    {
        echo "basicConstraints=critical,CA:FALSE"
        echo "extendedKeyUsage=$use"
        [ -z "$san" ] || echo "subjectAltName=$san"
    } >"$folder/$name.ext"
    openssl ca -batch -notext -config "$folder/ca.cnf" -in "$folder/$name.csr" -out "$folder/$name.pem" \
        -startdate "$start" -enddate "$end" -extfile "$folder/$name.ext" 2>/dev/null
}

make expired DNS:expired 20200101000000Z 20210101000000Z
make early DNS:early 20900101000000Z 20910101000000Z
make nameless "" 20200101000000Z 20900101000000Z
make loopback DNS:localhost,IP:127.0.0.1,DNS:*.example.org 20200101000000Z 20900101000000Z
make several "DNS:Gamma,DNS:localhost,URI:tijera://node/eu/gamma,DNS:gamma.internal,DNS:gamma" \
    20200101000000Z 20900101000000Z
make crowd "$(for number in $(seq 40); do printf 'DNS:crowd-%d,' "$number"; done)DNS:last" 20200101000000Z 20900101000000Z
make onlyserver DNS:onlyserver 20200101000000Z 20900101000000Z serverAuth
