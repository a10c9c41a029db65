#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Renews recorded/ from the live kernel: record.py [SCENARIO...]"""
import subprocess
import sys

from harness import recording, running
from harness.machine import MACHINE
from harness.runner import all_plays


def main(names):
    plays = [(hierarchy, name) for hierarchy, name in all_plays() if not names or name in names]
    results = {}
    for (hierarchy, name), result in running.run("kernel", plays).items():
        if "answers" not in result or "error" in result:
            sys.exit(f"{hierarchy}/{name}: {result.get('error', result)}\nNothing was recorded.")
        results.setdefault(name, {})[hierarchy] = result["answers"]
    for name, answers in results.items():
        recording.save(name, answers)
    recording.save_facts(MACHINE.facts())
    subprocess.run(["du", "-sh", recording.DIRECTORY], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
