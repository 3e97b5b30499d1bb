#!/usr/bin/env bash
# Runs tests as another CPU would, under qemu's user-mode emulation.
#
#   tests/emulated.sh aarch64 test -p auralis-accelerator --test conformance
#       builds for aarch64 with this cargo command line and runs the tests under qemu-aarch64
#   tests/emulated.sh x86_64 Nehalem target/debug/deps/conformance-0123 [ARGUMENT...]
#       runs a finished binary as that x86-64 CPU (qemu-x86_64 -cpu help lists them)
#
# It installs what it lacks from Debian (as root, or through sudo). rustc-web brings Debian's compiler
# with the standard libraries of both machines; as a package it conflicts with rustup, so it is only
# unpacked, below target/emulation. Name the tests (--tests, --test NAME): doctests would be compiled
# by the wrong rustdoc.
#
# Exit status: that of the tests; 2 on wrong usage; 77 if Debian's packages can't be had here.
set -euo pipefail

readonly linker=aarch64-linux-gnu-gcc
readonly sysroot=/usr/aarch64-linux-gnu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")/emulation
updated=

usage() {
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

unavailable() {
    echo "emulated.sh: $1" >&2
    exit 77
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

update() {
    [ -z "$updated" ] || return 0
    command -v apt-get >/dev/null || unavailable "this needs Debian's packages, and there is no apt-get"
    as_root dpkg --add-architecture arm64 >&2 && as_root apt-get update -qq >&2 ||
        unavailable "can't update Debian's package lists"
    updated=yes
}

install() {
    local packages=("$@")
    dpkg-query -W -f '${db:Status-Status}\n' "${packages[@]}" 2>/dev/null |
        awk -v wanted=$# '$1 == "installed" { n++ } END { exit n != wanted }' && return
    update
    as_root apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2 ||
        unavailable "can't install ${packages[*]}"
}

unpack_compiler() {
    local compiler=$cache/rustc
    [ ! -x "$compiler" ] || return 0
    update
    rm -rf "$cache/debian" "$cache/packages"
    mkdir -p "$cache/debian" "$cache/packages"
    local libraries
    libraries=$(apt-cache depends --recurse --important rustc-web |
        grep -Ex '(libstd-rust-web-[0-9.]+|libllvm[0-9.]+)' | sort -u) ||
        unavailable "this Debian has no rustc-web"
    # shellcheck disable=SC2086
    (cd "$cache/packages" && apt-get download -qq rustc-web libstd-rust-web-dev:amd64 \
        libstd-rust-web-dev:arm64 $libraries >&2) || unavailable "can't download rustc-web"
    local package
    for package in "$cache"/packages/*.deb; do
        dpkg -x "$package" "$cache/debian"
    done
    rm -r "$cache/packages"

    cat >"$compiler.new" <<WRAPPER
#!/usr/bin/env bash
usr='$cache/debian/usr'
export LD_LIBRARY_PATH="\$usr/lib/x86_64-linux-gnu:\$usr/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
exec "\$usr/bin/rustc" --sysroot "\$usr" "\$@"
WRAPPER
    chmod +x "$compiler.new"
    "$compiler.new" --version >&2 || unavailable "the unpacked rustc-web does not run"
    mv "$compiler.new" "$compiler"
}

aarch64() {
    [ $# -ge 1 ] || usage
    [ "$(uname -m)" = x86_64 ] || unavailable "the cross compiler is set up for x86-64 hosts only"
    install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    unpack_compiler
    env -u RUSTC_WRAPPER -u RUSTC_WORKSPACE_WRAPPER \
        RUSTC="$cache/rustc" \
        CARGO_TARGET_DIR="$cache/target" \
        CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu \
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER="$linker" \
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L $sysroot" \
        cargo "$@"
}

x86_64() {
    [ $# -ge 2 ] || usage
    install qemu-user
    local cpu=$1
    shift
    qemu-x86_64 -cpu "$cpu" "$@"
}

[ $# -ge 1 ] || usage
case $1 in
    aarch64 | x86_64) "$@" ;;
    *) usage ;;
esac
