#!/usr/bin/env bash
# Compares the kernels with the libraries that people would use instead, on this machine.
#
#   benches/peers/run.sh [--runs N] [--only GROUP] [--quick] [--write]
#
# Fetches the libraries from Debian's and PyPI's packages into a cache folder and unpacks them there:
# nothing is installed on the system, and no root is needed. Lets VOLK tune itself, builds what has
# no C interface, builds the comparison and runs it on one core. --write keeps the table in
# benches/results and in docs/speed.md. `run.sh --help` says the rest.
#
# Needs Debian or a system with its packages, gcc, g++, python3 with pip, and the Rust toolchain.
# What can't be had is named in the table as not run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/auralis-peers/kernels
arch=$(gcc -print-multiarch)
unpacked=$cache/debian
python=$cache/python

export CARGO_TARGET_DIR=$cache/target

say() { printf '%s\n' "$*" >&2; }

# The first of the names that Debian has: they carry a version in some releases.
first_of() {
    local name
    for name; do
        if apt-cache policy "$name" | grep 'Candidate: [0-9]' >/dev/null; then
            echo "$name"
            return
        fi
    done
}

# Unpacks the packages and what they depend on, as far as the system lacks it.
debian_peers() {
    local wanted missing debs
    [ -e "$unpacked/.complete" ] && return
    wanted=$(first_of libvolk-dev libvolk2-dev)
    wanted="$wanted $(first_of libvolk-bin libvolk2-bin) libfftw3-dev libzita-convolver-dev"
    wanted="$wanted libebur128-dev libavutil-dev ffmpeg"
    debs=$cache/debs
    mkdir -p "$debs" "$unpacked"
    # shellcheck disable=SC2086 # one word a package
    missing=$(apt-get --simulate --no-install-recommends install $wanted | sed -n 's/^Inst \([^ ]*\).*/\1/p')
    # shellcheck disable=SC2086
    (cd "$debs" && apt-get --quiet=2 download $missing)
    for deb in "$debs"/*.deb; do
        dpkg --extract "$deb" "$unpacked"
    done
    touch "$unpacked/.complete"
}

python_peers() {
    [ -e "$python/.complete" ] && return
    python3 -m pip install --quiet --ignore-installed --prefix "$python" ipp mkl numpy scipy
    # IPP looks for its code by the name with the minor version, which its wheel leaves out.
    local library minor
    minor=$(echo "$python"/lib/python3*/site-packages/ipp-*.dist-info | sed -E 's/.*ipp-[0-9]+\.([0-9]+).*/\1/')
    for library in "$python"/lib/libipp*.so.*; do
        ln -sf "$(basename "$library")" "$library.$minor"
    done
    touch "$python/.complete"
}

# VOLK chooses between its implementations by what its own program measured.
tune_volk() {
    export VOLK_CONFIGPATH=$cache/volk
    mkdir -p "$VOLK_CONFIGPATH"
    [ -e "$VOLK_CONFIGPATH/volk_config" ] && return
    say "tuning VOLK (minutes, once)"
    "$unpacked/usr/bin/volk_profile" --path "$VOLK_CONFIGPATH" >"$cache/volk_profile.log" 2>&1
}

zita_shim() {
    local shim=$cache/libzita_shim.so
    [ "$shim" -nt "$here/zita.cpp" ] && return
    g++ -O2 -shared -fPIC -I "$unpacked/usr/include" -L "$unpacked/usr/lib/$arch" \
        -o "$shim" "$here/zita.cpp" -lzita-convolver
}

# In a condition `set -e` would not hold inside the function.
attempt() {
    local status
    set +e
    (set -e; "$@")
    status=$?
    set -e
    [ "$status" = 0 ] || say "warning: $1 failed; what it brings is reported as not run"
}

for argument; do
    case $argument in
        -h | --help) exec cargo run --quiet --release --manifest-path "$here/Cargo.toml" -- --help ;;
    esac
done

mkdir -p "$cache"
export LD_LIBRARY_PATH="$unpacked/usr/lib/$arch:$unpacked/usr/lib/$arch/blas:$python/lib:$cache"
export PATH="$unpacked/usr/bin:$PATH"
attempt debian_peers
attempt python_peers
attempt tune_volk
attempt zita_shim

# MKL and Python's arrays would use every core; the comparison is of one.
export MKL_THREADING_LAYER=SEQUENTIAL OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
PYTHONPATH=$(echo "$python"/lib/python3*/site-packages)
export PYTHONPATH
cargo build --release --quiet --manifest-path "$here/Cargo.toml"
core=$(python3 -c 'import os; print(max(os.sched_getaffinity(0)))')
taskset --cpu-list "$core" "$CARGO_TARGET_DIR/release/peers" "$@"
