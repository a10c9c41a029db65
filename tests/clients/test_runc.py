# SPDX-License-Identifier: MIT
"""runc: a container's life in the tree."""

import json

import oci
import pytest
import runtime
import trees

RUNC = "runc"


@pytest.mark.parametrize("check", [
    runtime.check_limits_and_membership, runtime.check_exec, runtime.check_view_inside,
    runtime.check_pause, runtime.check_update, runtime.check_ps_and_list,
    runtime.check_foreground, runtime.check_kill], ids=lambda check: check.__name__[6:])
def test_life(tree, check):
    check(tree, RUNC)


def test_events(tree):
    box = runtime.Container(tree, RUNC, oci.BUSY)
    box.start()
    trees.until(lambda: tree.read("pids", box.cgroup, "pids.current") == "1" and
                int(tree.read("memory", box.cgroup, "memory.usage_in_bytes")) > 8_000_000,
                "it uses memory")
    before = runtime.cpu_time(tree, box.cgroup)
    data = json.loads(box.run("events", "--stats", box.id).out)["data"]
    assert before <= data["cpu"]["usage"]["total"] <= runtime.cpu_time(tree, box.cgroup)
    assert data["memory"]["usage"]["limit"] == 64 << 20
    assert 8_000_000 < data["memory"]["usage"]["usage"] < 64 << 20
    assert data["memory"]["raw"]["total_rss" if tree.version == 1 else "anon"] > 7_000_000
    assert data["pids"] == {"current": 1, "limit": 32}
    box.end()
