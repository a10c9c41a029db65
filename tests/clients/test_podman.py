# SPDX-License-Identifier: MIT
"""podman with the cgroupfs manager, on crun and on runc; the image is made of busybox-static."""

import json

import pytest

import oci
import trees

# The limits that podman sets by itself are above what a sandbox may have.
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
          "--network", "host", "--memory", "64m", "--cpus", "0.5",
          "--pids-limit", "50")


class Podman:
    """podman with a storage of its own in the tree's directory."""

    def __init__(self, tree, runtime):
        self.tree = tree
        home = tree.directory
        self.words = ("podman", "--root", home / "root", "--runroot", home / "run", "--tmpdir",
                      home / "tmp", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
                      "--events-backend", "file", "--runtime", tree.runtime(runtime))
        self("import", oci.make_rootfs_tar(tree), oci.IMAGE)

    def __call__(self, *words, **options):
        return self.tree.run(*self.words, *words, **options)

    def run(self, *words, **options):
        return self("run", "--cgroup-parent", f"/{self.tree.unique}", *LIMITS, *words, **options)

    def cgroup(self, name):
        return f"/{self.tree.unique}/libpod-{self.inspect(name)['Id']}"

    def inspect(self, name):
        return json.loads(self("inspect", name).out)[0]

    def remove(self, name):
        """Removes the container; its cgroups are then gone, but for the one that podman leaves."""
        cgroup = self.cgroup(name)
        self("rm", "-f", "-t", "0", name)
        trees.until(lambda: not self.tree.holding(cgroup), "its cgroups are gone")


@pytest.fixture(params=["crun", "runc"])
def podman(request, tree):
    return Podman(tree, request.param)


def test_run_shows_limits(podman):
    """In the tree, and from inside."""
    tree = podman.tree
    podman.run("-d", "--name", "box", oci.IMAGE, "sleep", "1000")
    cgroup, pid = podman.cgroup("box"), podman.inspect("box")["State"]["Pid"]
    assert tree.membership(pid)["memory"].startswith(cgroup)
    assert tree.read("memory", cgroup, "memory.limit_in_bytes") == str(64 << 20)
    assert tree.read("cpu", cgroup, "cpu.cfs_quota_us") == "50000"
    assert tree.read("pids", cgroup, "pids.max") == "50"
    seen = podman("exec", "box", "cat", tree.file("memory", "memory.limit_in_bytes"),
                  tree.file("pids", "pids.max")).out
    assert seen.split() == [str(64 << 20), "50"]
    podman.remove("box")


def test_stats_and_pause(podman):
    tree = podman.tree
    podman.run("-d", "--name", "box", oci.IMAGE, "sh", "-c", oci.BUSY)
    cgroup = podman.cgroup("box")
    trees.until(lambda: tree.read("pids", cgroup, "pids.current") == "1" and
                int(tree.read("cpuacct", cgroup, "cpuacct.usage")) > 300_000_000, "it works")
    stats = json.loads(podman("stats", "--no-stream", "--format", "json").out)[0]
    assert stats["name"] == "box" and stats["pids"] == "1"
    assert float(stats["cpu_percent"].rstrip("%")) > 0
    used, limit = stats["mem_usage"].split(" / ")
    assert limit == "67.11MB" and 8 < float(used.removesuffix("MB")) < 67
    podman("pause", "box")
    assert podman.inspect("box")["State"]["Status"] == "paused"
    trees.until(lambda: tree.read("freezer", cgroup, "freezer.state") == "FROZEN", "FROZEN")
    podman("unpause", "box")
    assert tree.read("freezer", cgroup, "freezer.state") == "THAWED"
    assert "sh -c" in podman("top", "box").out
    podman.remove("box")


def test_output_and_status(podman):
    result = podman.run("--rm", oci.IMAGE, "sh", "-c", "echo out; exit 7", status=None)
    assert (result.status, result.out) == (7, "out\n")


def test_own_cgroup_namespace(podman):
    """The container sees its cgroup as the root."""
    out = podman.run("--rm", "--cgroupns", "private", oci.IMAGE, "cat", "/proc/self/cgroup",
                     podman.tree.file("memory", "memory.limit_in_bytes")).out.splitlines()
    assert out.pop() == str(64 << 20)
    assert podman.tree.memberships("\n".join(out))["memory"] == "/"
