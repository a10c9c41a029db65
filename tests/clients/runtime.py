# SPDX-License-Identifier: MIT
"""What runc and crun do alike: a container's life, with what is then seen in the tree."""

import json
import os

import oci
import trees

RESOURCES = {
    "memory": {"limit": 64 << 20, "reservation": 32 << 20},
    "cpu": {"shares": 512, "quota": 50000, "period": 100000},
    "pids": {"limit": 32},
}
IN_TREE = {
    ("memory", "memory.limit_in_bytes"): str(64 << 20),
    ("memory", "memory.soft_limit_in_bytes"): str(32 << 20),
    ("cpu", "cpu.cfs_quota_us"): "50000",
    ("cpu", "cpu.cfs_period_us"): "100000",
    ("pids", "pids.max"): "32",
}
JOINED = ("cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "freezer", "blkio")


class Container:
    """One container of a runtime in a tree, in a cgroup of its own."""

    def __init__(self, tree, runtime, command, resources=None):
        self.tree, self.runtime = tree, tree.runtime(runtime)
        self.id = tree.unique
        self.cgroup = f"/{tree.unique}/box"
        self.state_directory = tree.directory / "state"
        self.bundle = oci.make_bundle(tree, self.cgroup, command, resources or RESOURCES)
        # With v2 `runc spec` gives it a cgroup namespace.
        self.seen = "/" if tree.version == 2 else self.cgroup

    def run(self, *words, **options):
        return self.tree.run(self.runtime, "--root", self.state_directory, *words, **options)

    def start(self):
        self.run("run", "-d", "--bundle", self.bundle, self.id)
        return self.state()["pid"]

    def state(self):
        return json.loads(self.run("state", self.id).out)

    def wait_for(self, status):
        trees.until(lambda: self.state()["status"] == status, f"{self.id} is {status}")

    def end(self):
        self.run("kill", self.id, "KILL")
        self.wait_for("stopped")
        self.run("delete", self.id)
        assert not self.tree.holding(self.cgroup)


def cpu_time(tree, cgroup):
    return int(tree.read("cpuacct", cgroup, "cpuacct.usage"))


def stands(tree, cgroup):
    """Its processor time, or None while that grows: what is shown may be a second old
    (docs/accounting.md)."""
    before = cpu_time(tree, cgroup)
    tree.run("sleep", "0.5")
    return before if cpu_time(tree, cgroup) == before else None


def check_limits_and_membership(tree, runtime):
    box = Container(tree, runtime, "sleep 1000")
    pid = box.start()
    assert box.state()["status"] == "running"
    for (hierarchy, file), value in IN_TREE.items():
        assert tree.read(hierarchy, box.cgroup, file) == value, file
    assert tree.read("cpu", box.cgroup, "cpu.shares") == tree.shares(512)
    membership = tree.membership(pid)
    for hierarchy in JOINED:
        assert pid in tree.processes(hierarchy, box.cgroup), hierarchy
        assert membership[hierarchy] == box.cgroup, hierarchy
    if tree.version == 1:
        rules = tree.read("devices", box.cgroup, "devices.list").splitlines()
        assert "c 1:3 rwm" in rules and "a *:* rwm" not in rules
    box.end()


def check_exec(tree, runtime):
    box = Container(tree, runtime, "sleep 1000")
    pid = box.start()
    inside = box.run("exec", box.id, "cat", "/proc/self/cgroup").out
    paths = tree.memberships(inside)
    assert all(paths[hierarchy] == box.seen for hierarchy in JOINED), inside
    assert box.run("exec", box.id, "sh", "-c", "exit 7", status=None).status == 7
    box.run("exec", "-d", box.id, "sleep", "1001")
    trees.until(lambda: len(tree.processes("pids", box.cgroup)) == 2, "the second process")
    trees.until(lambda: tree.read("pids", box.cgroup, "pids.current") == "2", "two threads")
    assert pid in tree.processes("pids", box.cgroup)
    box.end()


def check_view_inside(tree, runtime):
    """A container sees its own cgroup, read-only, where a container looks."""
    box = Container(tree, runtime, "sleep 1000")
    box.start()
    assert box.run("exec", box.id, "cat", tree.file("memory", "memory.limit_in_bytes")
                   ).out.strip() == str(64 << 20)
    assert box.run("exec", box.id, "cat", tree.file("cpu", "cpu.cfs_quota_us")
                   ).out.split()[0] == "50000"
    table = box.run("exec", box.id, "cat", "/proc/self/mountinfo").out
    assert "fuse" not in table
    mounted = {}
    for line in table.splitlines():
        before, after = line.split(" - ")
        if after.split()[0] == tree.kind:
            mounted[before.split()[4]] = (before.split()[3], before.split()[5].split(","))
    for hierarchy in JOINED:
        root, options = mounted[os.path.dirname(tree.file(hierarchy, "cgroup.procs"))]
        assert root == box.seen and "ro" in options, hierarchy
    refused = box.run("exec", box.id, "mkdir", tree.file("memory", "child"), status=None)
    assert refused.status == 1 and "Read-only file system" in refused.err
    box.end()


def check_pause(tree, runtime):
    box = Container(tree, runtime, oci.BUSY)
    box.start()
    trees.until(lambda: cpu_time(tree, box.cgroup) > 50_000_000, "it uses processor time")
    box.run("pause", box.id)
    trees.until(lambda: tree.read("freezer", box.cgroup, "freezer.state") == "FROZEN", "FROZEN")
    assert box.state()["status"] == "paused"
    before = trees.until(lambda: stands(tree, box.cgroup), "it uses no more")
    box.run("resume", box.id)
    assert box.state()["status"] == "running"
    assert tree.read("freezer", box.cgroup, "freezer.state") == "THAWED"
    trees.until(lambda: cpu_time(tree, box.cgroup) > before, "it goes on")
    box.end()


def check_update(tree, runtime):
    box = Container(tree, runtime, "sleep 1000")
    box.start()
    box.run("update", "--memory", str(128 << 20), "--cpu-quota", "20000", "--cpu-share", "256",
            "--pids-limit", "16", box.id)
    assert tree.read("memory", box.cgroup, "memory.limit_in_bytes") == str(128 << 20)
    assert tree.read("cpu", box.cgroup, "cpu.cfs_quota_us") == "20000"
    assert tree.read("cpu", box.cgroup, "cpu.shares") == tree.shares(256)
    assert tree.read("pids", box.cgroup, "pids.max") == "16"
    box.end()


def check_ps_and_list(tree, runtime):
    box = Container(tree, runtime, "sleep 1000 & sleep 1001; wait")
    pid = box.start()
    trees.until(lambda: len(tree.processes("memory", box.cgroup)) == 3, "all three processes")
    listed = set(json.loads(box.run("ps", "-f", "json", box.id).out))
    assert listed == tree.processes("memory", box.cgroup) and pid in listed
    assert "sleep 1001" in box.run("ps", box.id).out or runtime == "crun"
    rows = json.loads(box.run("list", "-f", "json").out)
    assert [(row["id"], row["pid"], row["status"]) for row in rows] == [(box.id, pid, "running")]
    box.end()


def check_foreground(tree, runtime):
    """Output, status, and a tree that is as before."""
    box = Container(tree, runtime, "echo to $0; echo err >&2; exit 7")
    result = box.run("run", "--bundle", box.bundle, box.id, status=None)
    assert (result.status, result.out, result.err) == (7, "to sh\n", "err\n")
    assert not tree.holding(box.cgroup)


def check_kill(tree, runtime):
    """A signal that a process handles, and the end of all that is in the cgroup."""
    box = Container(tree, runtime, "trap 'exit 3' TERM; sleep 1000 & wait")
    box.start()
    trees.until(lambda: len(tree.processes("pids", box.cgroup)) == 2, "both processes")
    box.run("kill", box.id, "TERM")
    box.wait_for("stopped")
    box.run("delete", "--force", box.id)
    assert not tree.holding(box.cgroup)
