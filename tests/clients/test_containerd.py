# SPDX-License-Identifier: MIT
"""containerd and ctr: an image, a container with limits, its metrics and its end."""

import json

import pytest

import oci
import trees

CONFIG = """version = 2
root = "{home}/root"
state = "{home}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
    "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
address = "{home}/socket"
[ttrpc]
address = "{home}/ttrpc"
"""


class Containerd:
    """containerd with everything of its own in the tree's directory."""

    def __init__(self, tree):
        self.tree, self.home = tree, tree.directory
        self.socket = self.home / "socket"
        self.log = self.home / "containerd.log"
        (self.home / "config.toml").write_text(CONFIG.format(home=self.home))
        self.pid = tree.start("containerd", "--config", self.home / "config.toml", log=self.log)
        trees.until(lambda: self("version", status=None).status == 0, "containerd answers")
        self("image", "import", "--snapshotter", "native", oci.make_image(tree))

    def __call__(self, *words, **options):
        return self.tree.run("ctr", "-a", self.socket, "-n", self.tree.unique, *words, **options)

    def run(self, *words):
        return self("run", "--snapshotter", "native", *words)

    def stop(self):
        self.tree.stop(self.pid)
        errors = [line for line in self.log.read_text().splitlines()
                  if "level=error" in line and "cgroup" in line]
        assert not errors


def need_every_hierarchy(tree):
    named = tree.run("grep", "-o", "name=[^:]*", "/proc/self/cgroup", status=None).out.split()
    if tree.version == 1 and named != ["name=systemd"]:
        pytest.skip(f"containerd wants every hierarchy mounted, {named} too")


@pytest.fixture
def containerd(tree):
    need_every_hierarchy(tree)
    server = Containerd(tree)
    yield server
    server.stop()


def metrics(containerd, name):
    return json.loads(containerd("task", "metrics", "--format", "json", name).out)


def figures(seen, version):
    """Nanoseconds, limit and use of memory of one of containerd's two forms."""
    cpu, memory = seen["cpu"], seen["memory"]
    if version == 1:
        return cpu["usage"]["total"], memory["usage"]["limit"], memory["usage"]["usage"]
    return cpu["usage_usec"] * 1000, memory["usage_limit"], memory["usage"]


def test_life(containerd):
    tree, cgroup = containerd.tree, f"/{containerd.tree.unique}/box"
    containerd.run("-d", "--cgroup", cgroup, "--memory-limit", str(64 << 20), "--cpus", "0.5",
                   oci.IMAGE, "box", "sh", "-c", oci.BUSY)
    row = containerd("task", "ls").out.splitlines()[1].split()
    assert (row[0], row[2]) == ("box", "RUNNING")
    assert tree.membership(row[1])["memory"] == cgroup
    assert tree.read("memory", cgroup, "memory.limit_in_bytes") == str(64 << 20)
    assert tree.read("cpu", cgroup, "cpu.cfs_quota_us") == "50000"

    trees.until(lambda: tree.read("pids", cgroup, "pids.current") == "1" and
                int(tree.read("memory", cgroup, "memory.usage_in_bytes")) > 8_000_000, "it works")
    before = int(tree.read("cpuacct", cgroup, "cpuacct.usage"))
    seen = metrics(containerd, "box")
    used, limit, usage = figures(seen, tree.version)
    assert before <= used <= int(tree.read("cpuacct", cgroup, "cpuacct.usage"))
    assert limit == 64 << 20
    assert 8_000_000 < usage < 64 << 20
    assert seen["pids"]["current"] == 1

    inside = containerd("task", "exec", "--exec-id", "one", "box", "cat", "/proc/self/cgroup").out
    assert inside.count(f":{cgroup}\n") >= (8 if tree.version == 1 else 1)
    containerd("task", "pause", "box")
    trees.until(lambda: tree.read("freezer", cgroup, "freezer.state") == "FROZEN", "FROZEN")
    assert "PAUSED" in containerd("task", "ls").out
    containerd("task", "resume", "box")
    assert tree.read("freezer", cgroup, "freezer.state") == "THAWED"
    containerd("task", "kill", "-s", "SIGKILL", "box")
    trees.until(lambda: "STOPPED" in containerd("task", "ls").out, "it is stopped")
    containerd("task", "delete", "box", status=None)
    containerd("container", "delete", "box")
    assert not tree.holding(cgroup)


def test_foreground(containerd):
    result = containerd("run", "--rm", "--snapshotter", "native", "--cgroup",
                        f"/{containerd.tree.unique}/box", oci.IMAGE, "box", "sh", "-c",
                        "echo out; exit 7", status=None)
    assert (result.status, result.out) == (7, "out\n")
    assert not containerd.tree.holding(f"/{containerd.tree.unique}/box")
