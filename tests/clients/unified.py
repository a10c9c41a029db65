# SPDX-License-Identifier: MIT
"""The unified hierarchy, told in v1's words: so one test of a client serves both versions."""

import pathlib
import resource
import subprocess

import trees


def microseconds(text, name):
    """The nanoseconds of a line of cpu.stat."""
    return str(1000 * int(dict(line.split() for line in text.splitlines())[name]))


def limit(text):
    """A limit of memory as v1 tells that there is none."""
    return "9223372036854771712" if text == "max" else text


def frozen(text):
    return "FROZEN" if "frozen 1" in text.splitlines() else "THAWED"


# v1's file: v2's, and what of its text is what v1 tells.
FILES = {
    "memory.limit_in_bytes": ("memory.max", limit),
    "memory.soft_limit_in_bytes": ("memory.low", str),
    "memory.usage_in_bytes": ("memory.current", str),
    "cpu.cfs_quota_us": ("cpu.max", lambda text: text.split()[0].replace("max", "-1")),
    "cpu.cfs_period_us": ("cpu.max", lambda text: text.split()[1]),
    "cpu.shares": ("cpu.weight", str),
    "cpuset.effective_cpus": ("cpuset.cpus.effective", str),
    "cpuacct.usage": ("cpu.stat", lambda text: microseconds(text, "usage_usec")),
    "freezer.state": ("cgroup.events", frozen),
}


def may_raise_memlock():
    """Whether this process, and so what it starts, may lock all memory."""
    limits = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, OSError):
        return False
    resource.setrlimit(resource.RLIMIT_MEMLOCK, limits)
    return True


class Tree(trees.Tree):
    """A tree that has one hierarchy, whichever is asked for."""

    version = 2
    kind = "cgroup2"  # of the filesystem

    def file(self, hierarchy, file):
        return f"{trees.STANDARD}/{FILES.get(file, (file,))[0]}"

    def runtime(self, name):
        """crun gives up where RLIMIT_MEMLOCK may not be raised, on the kernel's v2 too
        (preload/memlock.c)."""
        if name != "crun" or may_raise_memlock():
            return name
        library = self.directory / "memlock.so"
        subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library,
                        trees.ROOT / "tests/clients/preload/memlock.c"], check=True)
        script = self.directory / name
        script.write_text(f'#!/bin/sh\nLD_PRELOAD={library} exec {name} "$@"\n')
        script.chmod(0o755)
        return script

    def shares(self, number):
        """Source: runc 1.1 and crun 1.8 (cpu.weight)."""
        return str(1 + (number - 2) * 9999 // 262142)

    def path(self, hierarchy, cgroup=""):
        return self.root / str(cgroup).lstrip("/")

    def read(self, hierarchy, cgroup, file):
        name, tell = FILES.get(file, (file, str))
        return tell((self.path(hierarchy, cgroup) / name).read_text().strip())

    def memberships(self, text):
        line, = text.splitlines()
        assert line.startswith("0::/"), text
        return dict.fromkeys(trees.HIERARCHIES, line.removeprefix("0::"))

    def holding(self, name):
        return ["unified"] if self.path("unified", name).is_dir() else []

    def make_cgroup(self, name, hierarchies):
        above = self.root
        for part in pathlib.PurePath(name).parts:
            controllers = (above / "cgroup.controllers").read_text().split()
            (above / "cgroup.subtree_control").write_text(" ".join(f"+{word}" for word in controllers))
            above /= part
            above.mkdir()

    def enter(self, pid, name, hierarchies):
        super().enter(pid, name, ["unified"])

    def _thaw(self):
        for path in self._cgroups("unified"):
            (path / "cgroup.freeze").write_text("0")
