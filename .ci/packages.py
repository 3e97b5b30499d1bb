#!/usr/bin/env python3
"""Packs every crate that is meant to be published, and checks that each package holds its readme and
what its sources include, and says what it is. cargo refuses a dependency without a version.

Builds nothing. Exit status: 0 if all are whole, else 1.
"""

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

INCLUDED = re.compile(r'include(?:_str|_bytes)?!\(\s*"([^"]+)"')


def run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def inside(path: PurePosixPath) -> str:
    """The path with its `..` resolved; it starts with `..` if it leads out of the package."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def faults(archive: Path) -> list[str]:
    with tarfile.open(archive) as package:
        top = archive.name.removesuffix(".crate") + "/"
        files = {m.name.removeprefix(top): m for m in package.getmembers() if m.isfile()}
        found = [f"no {name}" for name in ["Cargo.toml", "README.md"] if name not in files]
        for name, member in files.items():
            # What tests include is of no use without the workspace's plugins and fixtures.
            if not name.endswith(".rs") or not name.startswith("src/"):
                continue
            source = package.extractfile(member).read().decode()
            for path in INCLUDED.findall(source):
                wanted = inside(PurePosixPath(name).parent / path)
                if wanted not in files:
                    found.append(f"{name} includes {path}, which the package lacks")
    return found


def main() -> int:
    metadata = json.loads(run("cargo", "metadata", "--no-deps", "--offline", "--format-version=1"))
    crates = [p for p in metadata["packages"] if p["publish"] != []]
    names = [argument for p in crates for argument in ("--package", p["name"])]
    options = ["--no-verify", "--allow-dirty", "--locked", "--offline", "--quiet"]
    run("cargo", "package", *options, *names)
    folder = Path(metadata["target_directory"]) / "package"
    failed = False
    for crate in crates:
        archive = folder / f"{crate['name']}-{crate['version']}.crate"
        found = faults(archive)
        for field in ["description", "license", "repository"]:
            if not crate[field]:
                found.append(f"no {field}")
        failed |= bool(found)
        size = archive.stat().st_size / 1024
        print(f"{crate['name']} {crate['version']}: {size:.0f} KiB", *found, sep="\n  ")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
