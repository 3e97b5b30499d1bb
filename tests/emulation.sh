#!/usr/bin/env bash
# Checks on CPUs that this machine does not have.
#
#   tests/emulation.sh x86_64 PROGRAM   what the program selects and refuses on older x86-64 CPUs
#   tests/emulation.sh aarch64          the accelerators, NEON among them, and selection
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
}

case ${1-} in
    x86_64) [ $# = 2 ] && x86_64 "$2" ;;
    aarch64) [ $# = 1 ] && aarch64 ;;
    *)
        sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
esac
