# SPDX-License-Identifier: MIT
"""docker: what most people try first. dockerd with everything of its own in one directory."""

import json

import pytest

import oci
import test_containerd
import trees


class Docker:
    """dockerd and its client."""

    def __init__(self, tree):
        self.tree, self.home = tree, tree.directory
        self.log = self.home / "dockerd.log"
        self.socket = f"unix://{self.home}/docker.sock"
        self.pid = tree.start(
            "dockerd", "-H", self.socket, "--data-root", self.home / "data",
            "--exec-root", self.home / "exec", "--pidfile", self.home / "pid",
            "--storage-driver", "vfs", "--bridge", "none", "--iptables=false",
            "--ip6tables=false", "--ip-forward=false", "--oom-score-adjust", "0", "--exec-opt",
            "native.cgroupdriver=cgroupfs", log=self.log)
        trees.until(lambda: self("version", status=None).status == 0, "dockerd answers")
        self("load", "-i", oci.make_image(tree))

    def __call__(self, *words, **options):
        return self.tree.run("docker", "-H", self.socket, *words, **options)

    def run(self, *words, **options):
        return self("run", "--network", "host", "--cgroup-parent", f"/{self.tree.unique}", *words,
                    **options)

    def stop(self):
        self.tree.stop(self.pid)


@pytest.fixture
def docker(tree):
    test_containerd.need_every_hierarchy(tree)
    server = Docker(tree)
    yield server
    server.stop()


def test_info_has_no_warning_of_cgroups(docker):
    info = json.loads(docker("info", "--format", "{{json .}}").out)
    assert (info["CgroupDriver"], info["CgroupVersion"]) == ("cgroupfs", str(docker.tree.version))
    for name in ("MemoryLimit", "CpuCfsQuota", "CPUShares", "CPUSet", "PidsLimit"):
        assert info[name], name
    file = {1: "memory.memsw.limit_in_bytes", 2: "memory.swap.max"}[docker.tree.version]
    # the root of v2 has none, and docker looks there
    swap = docker.tree.path("memory").joinpath(file).exists()
    assert info["SwapLimit"] == swap
    not_ours = "blkio", "forwarding", *(() if swap else ("swap",))
    assert not [line for line in info["Warnings"] or [] if not any(word in line for word in not_ours)]


def test_life(docker):
    tree = docker.tree
    docker.run("-d", "--name", "box", "--memory", "64m", "--cpus", "0.5", "--pids-limit", "50",
               oci.IMAGE, "sh", "-c", oci.BUSY)
    state = json.loads(docker("inspect", "box").out)[0]
    cgroup = f"/{tree.unique}/{state['Id']}"
    assert tree.membership(state["State"]["Pid"])["memory"] == cgroup
    assert tree.read("memory", cgroup, "memory.limit_in_bytes") == str(64 << 20)
    assert tree.read("cpu", cgroup, "cpu.cfs_quota_us") == "50000"
    assert tree.read("pids", cgroup, "pids.max") == "50"
    trees.until(lambda: tree.read("pids", cgroup, "pids.current") == "1" and
                int(tree.read("memory", cgroup, "memory.usage_in_bytes")) > 8_000_000, "it works")
    stats = json.loads(docker("stats", "--no-stream", "--format", "{{json .}}").out)
    assert stats["Name"] == "box" and stats["PIDs"] == "1"
    used, limit = stats["MemUsage"].split(" / ")
    assert limit == "64MiB" and 7 < float(used.removesuffix("MiB")) < 64
    assert 5 < float(stats["CPUPerc"].rstrip("%")) < 120
    docker("pause", "box")
    trees.until(lambda: tree.read("freezer", cgroup, "freezer.state") == "FROZEN", "FROZEN")
    docker("unpause", "box")
    docker("update", "--memory", "128m", "--memory-swap", "256m", "box")
    assert tree.read("memory", cgroup, "memory.limit_in_bytes") == str(128 << 20)
    assert docker("exec", "box", "cat", tree.file("memory", "memory.limit_in_bytes")
                  ).out.strip() == str(128 << 20)
    assert "sh -c" in docker("top", "box").out
    docker("rm", "-f", "box")
    trees.until(lambda: not tree.holding(cgroup), "its cgroups are gone")


def test_output_and_status(docker):
    result = docker.run("--rm", oci.IMAGE, "sh", "-c", "echo out; exit 7", status=None)
    assert (result.status, result.out) == (7, "out\n")


def test_own_cgroup_namespace(docker):
    """The container sees its cgroup as the root."""
    out = docker.run("--rm", "--cgroupns", "private", "--memory", "64m", oci.IMAGE, "cat",
                     "/proc/self/cgroup",
                     docker.tree.file("memory", "memory.limit_in_bytes")).out.splitlines()
    assert out.pop() == str(64 << 20)
    assert docker.tree.memberships("\n".join(out))["memory"] == "/"
