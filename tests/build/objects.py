# SPDX-License-Identifier: MIT
"""What the objects of a build define and take, by nm(1)."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src"
PROGRAM = pathlib.Path(os.environ.get("FUSE_CGROUPFS", ROOT / "build" / "fuse_cgroupfs"))
OBJECTS = PROGRAM.parent / "obj"


def read(house):
    """By each source file below `house`: the names that its object defines, and those that it takes."""
    sources = {OBJECTS / path.relative_to(SOURCES).with_suffix(".o"): path for path in house.glob("**/*.c")}
    absent = [path for path in sources if not path.exists()]
    if absent:
        pytest.skip(f"{absent[0]} is not there: the program was built elsewhere")
    listed = subprocess.run(["nm", "-A", *sources], capture_output=True, text=True, check=True).stdout
    found = {path: (set(), set()) for path in sources.values()}
    for name, kind, symbol in re.findall(r"^(.+?):[0-9a-f]* *(\w) (\S+)$", listed, re.M):
        defined, taken = found[sources[pathlib.Path(name)]]
        if kind in "BCDRTVW":
            defined.add(symbol)
        elif kind == "U":
            taken.add(symbol)
    return found


def calls(objects):
    """By each source file: the others whose functions or data it uses, each with one of these."""
    definer = {name: source for source, (defined, _) in objects.items() for name in defined}
    return {source: {definer[name]: name for name in sorted(taken) if definer.get(name, source) != source}
            for source, (_, taken) in objects.items()}


def find_circle(used):
    """Files that call each other in a circle, or none."""
    done, path = set(), []

    def visit(source):
        if source in path:
            return path[path.index(source):] + [source]
        if source in done:
            return []
        path.append(source)
        for target in used[source]:
            circle = visit(target)
            if circle:
                return circle
        path.pop()
        done.add(source)
        return []

    for source in used:
        circle = visit(source)
        if circle:
            return circle
    return []
