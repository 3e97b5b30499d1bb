"""Checks that deny.toml allows the licence of every crate in Cargo.lock, and names no licence in vain.

cargo-deny does more, but wants the network; this much can be checked anywhere.
"""

import json
import re
import subprocess
import sys
import tomllib


def allows(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met; an old-style slash means OR."""

    def parse_or(tokens):
        met = parse_and(tokens)
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = parse_and(tokens) or met
        return met

    def parse_and(tokens):
        met = parse_term(tokens)
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = parse_term(tokens) and met
        return met

    def parse_term(tokens):
        token = tokens.pop(0)
        if token == "(":
            met = parse_or(tokens)
            tokens.pop(0)
            return met
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            token += " WITH " + tokens.pop(0)
        return token in allowed

    return parse_or(re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR ")))


def is_an_example(package) -> bool:
    """Whether it is written as a stranger would write it, and never published."""
    return package["source"] is None and package["publish"] == [] and "/examples/" in package["manifest_path"]


def main() -> int:
    with open("deny.toml", "rb") as file:
        allowed = set(tomllib.load(file)["licenses"]["allow"])
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features"]
    packages = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["packages"]

    faults = [
        f"{p['name']} {p['version']}: licence {p['license']!r} is not allowed in deny.toml"
        for p in packages
        if not (p["license"] and allows(p["license"], allowed)) and not is_an_example(p)
    ]
    # A licence that no crate needs is one that nobody decided on.
    for licence in sorted(allowed):
        without = allowed - {licence}
        if all(allows(p["license"], without) for p in packages if p["license"]):
            faults.append(f"deny.toml allows {licence}, which no crate needs")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(packages)} crates, {len(allowed)} licences allowed, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
