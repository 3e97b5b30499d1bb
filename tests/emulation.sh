#!/usr/bin/env bash
# Checks on CPUs that this machine does not have.
#
#   tests/emulation.sh x86_64 PROGRAM   what the program selects and refuses on older x86-64 CPUs
#   tests/emulation.sh aarch64          the accelerators, NEON among them, and selection; a plugin
#                                       for aarch64 that the release program, if built, refuses
#
# Exit status: 77 if Debian's packages can't be had here (see emulated.sh), which is no pass.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

x86_64() {
    # Its own status tells a lack of packages from a fault; a program's status would be mistaken.
    "$here/emulated.sh" x86_64 Nehalem /bin/true
    python3 "$here/emulation.py" "$here/emulated.sh" "$(realpath "$1")"
}

aarch64() {
    local log
    log=$(mktemp)
    "$here/emulated.sh" aarch64 test --locked --package auralis-accelerator --test conformance | tee "$log"
    # Trials that can't run are ignored, so that a pass alone does not show that NEON ran.
    local ran
    ran=$(grep -cE '^test +(\[[^]]*\] +)?accelerator::neon::.* ok$' "$log" || true)
    rm "$log"
    echo "trials of neon that ran: $ran"
    [ "$ran" -gt 0 ]
    "$here/emulated.sh" aarch64 test --locked --package auralis-registry --test selection
    foreign_plugin
}

# A library for aarch64 is inspected and refused by a program for this machine.
foreign_plugin() {
    local program=$here/../target/release/auralis folder status=0 said
    if [ "$(uname -m)" = aarch64 ] || [ ! -x "$program" ]; then
        echo "no program of another machine: the plugin for aarch64 was not inspected"
        return
    fi
    folder=$(mktemp -d)
    aarch64-linux-gnu-gcc -shared -fPIC -O2 -I "$here/../core/abi/include" \
        "$here/../examples/plugin-c/gain.c" -o "$folder/libgain.so"
    said=$("$program" plugin inspect "$folder/libgain.so") || status=$?
    rm -r "$folder"
    echo "$said"
    [ "$status" = 5 ]
    grep -q 'an ELF library for aarch64, this process needs' <<<"$said"
}

case ${1-} in
    x86_64) [ $# = 2 ] && x86_64 "$2" ;;
    aarch64) [ $# = 1 ] && aarch64 ;;
    *)
        sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
esac
