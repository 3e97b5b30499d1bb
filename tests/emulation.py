"""What the program selects, refuses and delivers on older x86-64 CPUs, emulated by qemu.

Called by emulation.sh with the path of emulated.sh and the program's.
"""

import json
import os
import subprocess
import sys
import tempfile

EMULATED, PROGRAM = sys.argv[1:]

# CPU, the accelerator that it gets, and a feature that each rejected one lacks.
CPUS = [
    ("Nehalem", "multiversion", {"avx2": "avx2", "avx512": "avx512f"}),
    ("Haswell", "avx2", {"avx512": "avx512f"}),
]


def run(folder, cpu, *arguments):
    """Runs the program without any configuration of this machine."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AURALIS_", "XDG_"))}
    return subprocess.run(
        [EMULATED, "x86_64", cpu, PROGRAM, *arguments],
        cwd=folder,
        env=kept | {"HOME": folder},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )


def objects(result):
    assert result.returncode == 0, f"status {result.returncode}: {result.stderr}"
    return [json.loads(line) for line in result.stdout.splitlines()]


def selects(folder, cpu, chosen, lacking):
    kinds = {o["kind"]: o for o in objects(run(folder, cpu, "explain", "--json"))}
    accelerator = kinds["accelerator"]
    assert accelerator["chosen"] == chosen, accelerator
    reasons = {r["id"]: r["reason"] for r in accelerator["rejected"]}
    for backend, feature in lacking.items():
        assert "lacks" in reasons[backend] and feature in reasons[backend], reasons


def refuses(folder, cpu, lacking):
    for backend, feature in lacking.items():
        result = run(folder, cpu, "--set", f"accelerator.backend={backend}", "explain")
        assert result.returncode == 4, f"{backend}: status {result.returncode}, not 4"
        assert "lacks" in result.stderr and feature in result.stderr, result.stderr


def delivers(folder, cpu, chosen):
    files = [o for o in objects(run(folder, cpu, "demo", f"demo-{cpu}", "--json")) if "input" in o]
    assert len(files) == 3, files
    for file in files:
        assert file["error"] is None, file
        assert file["backends"]["accelerator"] == chosen, file
        missed = abs(file["loudness_out_lufs"] - file["loudness_target_lufs"])
        assert missed <= 0.05 or file["loudness_note"], file


def main():
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        for cpu, chosen, lacking in CPUS:
            checks = {
                f"selects {chosen}": lambda: selects(folder, cpu, chosen, lacking),
                f"refuses {', '.join(lacking)}": lambda: refuses(folder, cpu, lacking),
            }
            # The oldest one is the test of what else might use too new an instruction.
            if cpu == CPUS[0][0]:
                checks["masters the demo"] = lambda: delivers(folder, cpu, chosen)
            for name, check in checks.items():
                try:
                    check()
                    print(f"{cpu} {name}: ok", flush=True)
                except (AssertionError, KeyError, ValueError, subprocess.TimeoutExpired) as fault:
                    faults += 1
                    print(f"{cpu} {name}: FAILED: {fault!r}", flush=True)
    return 1 if faults else 0


sys.exit(main())
