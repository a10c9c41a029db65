# SPDX-License-Identifier: MIT
"""cgroups-rs: a cgroup's life by its controllers (cgroups-rs/src/main.rs)."""

import os

import pytest

import trees

DRIVE = os.environ.get("CGROUPS_RS", trees.ROOT / "build/clients-long/cgroups-rs/debug/cgroups-rs-drive")


@pytest.mark.version(2)
def test_life(tree):
    tree.make_cgroup(tree.unique, ())
    assert tree.out(DRIVE, f"{tree.unique}/a") == "ok\n"
    tree.remove_cgroup(tree.unique)
