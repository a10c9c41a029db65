# SPDX-License-Identifier: MIT
"""Plays scenarios on one tree and prints their answers, a line of JSON each.

Run as a process of its own: runner.py TREE [HIERARCHY/SCENARIO...]
TREE is "kernel" or the mount point of our filesystem.
"""
import json
import os
import signal
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import kernel, libc, recording  # noqa: E402
from harness.registry import HIERARCHIES, SCENARIOS  # noqa: E402
from harness.stage import Stage  # noqa: E402
import scenarios  # noqa: E402,F401


PATIENCE = 60  # seconds for a scenario; a hanging one breaks down


class Hangs(Exception):
    """No OSError, which a step would take for an answer."""


def _on_alarm(*_):
    raise Hangs(f"hangs for {PATIENCE} s")


def _on_term(*_):
    sys.exit(1)


def all_plays():
    return [(hierarchy, name) for name, each in SCENARIOS.items()
            for hierarchy in each.hierarchies]


def company(hierarchy, name, directories):
    """Other children of a root whose exclusive CPUs or real time would change the answers."""
    if hierarchy not in SCENARIOS[name].alone:
        return []
    return [entry.name for entry in os.scandir(directories[hierarchy]) if entry.is_dir()]


def play(hierarchy, name, directories, left_out):
    """{"answers": ...} of one scenario on one hierarchy, or {"error": traceback}."""
    if hierarchy not in directories:
        return {"missing": f"no {hierarchy} hierarchy"}
    if others := company(hierarchy, name, directories):
        return {"missing": f"other cgroups beside ours: {others[0]}"}
    stage = Stage(hierarchy, directories[hierarchy], directories, left_out.get(hierarchy, ()))
    signal.alarm(PATIENCE)
    result = {"answers": stage.answers}
    try:
        SCENARIOS[name].function(stage)
    except Exception:
        result["error"] = traceback.format_exc()
    finally:
        signal.alarm(PATIENCE)
        stage.close()
        signal.alarm(0)
    if others := company(hierarchy, name, directories):
        return {"missing": f"other cgroups came beside ours: {others[0]}"}
    return result


def directories_of(tree):
    if tree == "kernel":
        return kernel.enter()
    return {name: os.path.join(tree, name) for name in HIERARCHIES
            if os.path.isdir(os.path.join(tree, name))}


def main(tree, wanted):
    signal.signal(signal.SIGALRM, _on_alarm)
    signal.signal(signal.SIGTERM, _on_term)
    libc.die_with_parent(signal.SIGTERM)
    directories = directories_of(tree)
    left_out = recording.not_compared(tree)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for hierarchy, name in [tuple(each.split("/")) for each in wanted] or all_plays():
        began = time.monotonic()
        result = play(hierarchy, name, directories, left_out)
        result["seconds"] = round(time.monotonic() - began, 3)
        print(json.dumps([hierarchy, name, result]), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
