# SPDX-License-Identifier: MIT
"""LXC: a container's life, its limits and its freezing."""

import os
import stat

import pytest

import oci
import trees

CONFIG = """
lxc.uts.name = c1
lxc.rootfs.path = dir:{rootfs}
lxc.net.0.type = none
lxc.apparmor.profile = unconfined
lxc.autodev = 0
lxc.mount.auto = proc
lxc.init.cmd = /bin/sleep 1000
lxc.cgroup2.memory.max = 64M
lxc.cgroup2.cpu.max = 50000 100000
lxc.cgroup2.pids.max = 50
"""


class Container:
    """A container in LXC's own directory, and its tools."""

    def __init__(self, tree):
        self.tree = tree
        self.name = tree.unique
        self.place = tree.directory / "lxc"
        rootfs = tree.directory / "rootfs"
        oci.make_rootfs(rootfs)
        for name in ("proc", "sys", "dev"):
            (rootfs / name).mkdir(exist_ok=True)
        # By its number LXC knows the /dev/null that it was started with, which it would make the container's.
        os.mknod(rootfs / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        (self.place / self.name).mkdir(parents=True)
        (self.place / self.name / "config").write_text(CONFIG.format(rootfs=rootfs))

    def run(self, tool, *words):
        return self.tree.out(f"lxc-{tool}", "-P", self.place, "-n", self.name, *words)

    def state(self):
        return self.run("info", "-s", "-H").strip()

    def read(self, file):
        return self.tree.read("", f"lxc.payload.{self.name}", file)


@pytest.fixture
def container(tree):
    made = Container(tree)
    null = os.stat("/dev/null").st_mode
    made.run("start")
    yield made
    made.run("stop", "-k")
    assert os.stat("/dev/null").st_mode == null
    trees.until(lambda: not list(tree.root.glob(f"lxc.*{made.name}")), "its cgroups are gone")
    for left in tree.root.glob("lxc.pivot*"):  # where LXC goes to remove its own, and stays till it ends
        trees.until(lambda: not (left / "cgroup.procs").read_text(), "LXC has ended")
        left.rmdir()


@pytest.mark.version(2)
def test_life(container):
    assert container.state() == "RUNNING"
    pid = int(container.run("info", "-p", "-H"))
    assert container.tree.processes("", f"lxc.payload.{container.name}") == {pid}
    assert container.read("memory.max") == str(64 << 20)
    assert container.read("cpu.max") == "50000 100000" and container.read("pids.max") == "50"
    container.run("cgroup", "memory.max", "32M")
    assert container.run("cgroup", "memory.max").strip() == container.read("memory.max") == str(32 << 20)
    # Who attaches gets a cgroup of its own, as nobody may be above others.
    assert container.run("attach", "--", "/bin/cat", "/proc/self/cgroup") == "0::/.lxc\n"
    container.run("freeze")
    assert container.state() == "FROZEN" and "frozen 1" in container.read("cgroup.events")
    container.run("unfreeze")
    assert container.state() == "RUNNING" and "frozen 0" in container.read("cgroup.events")
