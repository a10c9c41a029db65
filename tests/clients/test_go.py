# SPDX-License-Identifier: MIT
"""Go programs: GOMAXPROCS of the runtime itself (since 1.25), automaxprocs, automemlimit."""

import json
import os

import trees

LIMITS = trees.ROOT / "build/clients/limits"


def test_limits(make_tree):
    tree = make_tree("--cpus", "1.5", "--memory", "512M")
    seen = json.loads(tree.out(LIMITS))
    # The runtime rounds up, and no lower than 2; the library rounds down.
    assert seen["GOMAXPROCS"] == min(2, os.cpu_count())
    assert seen["automaxprocs"] == 1
    assert seen["memory"] == 512 << 20
    for file in ("cpu.cfs_quota_us", "cpu.cfs_period_us"):
        assert tree.file("cpu", file) in seen["open"], "the runtime looks elsewhere"


def test_processors(make_tree):
    seen = json.loads(make_tree("--cpuset-cpus", "0", "--memory", "1g").out(LIMITS))
    assert seen["processors"] == seen["GOMAXPROCS"] == 1
    assert seen["memory"] == 1 << 30
