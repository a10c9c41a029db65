#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
The same processes in gVisor's own cgroups, mounted in NATIVE, and in the tree that the launcher shows, whose
daemon its tracer tells of forks. Prints lines of a figure's name and what was read, with tabs between:
gVisor's own, ours, and gVisor's own once more, between which ours has to be. Run below the launcher:
beside.py NATIVE
"""

import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "accuracy"))
import trees  # noqa: E402
import workloads  # noqa: E402

SHOWN = pathlib.Path("/sys/fs/cgroup")
MIB = 1 << 20


class Shown:
    """The tree that the launcher shows, as Together wants it."""
    path = SHOWN
    cgroup = trees.Legacy


class Work:
    """A program that waits for a line before it works, and what all of these used since they could begin."""

    FILE = "cpuacct.usage"

    def __init__(self, cgroups, *commands):
        self.cgroups = cgroups
        self.all = [cgroups.start(["sh", "-c", f"echo ready; read go; {command}"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, start_new_session=True) for command in commands]
        for process in self.all:
            process.stdout.readline()
        self.before = cgroups.numbers(self.FILE)
        for process in self.all:
            process.stdin.write(b"go\n")
            process.stdin.flush()

    def used(self, what):
        native, ours = self.before
        numbers = [cgroup.number(self.FILE) for cgroup in (*self.cgroups.cgroups, self.cgroups.cgroups[0])]
        tell(what, *(number - start for number, start in zip(numbers, (native, ours, native))))

    def wait(self):
        for process in self.all:
            process.communicate()


def tell(what, *numbers):
    print(what, *numbers, sep="\t", flush=True)


def busy(cgroups):
    """Two that run, at a moment and after their end."""
    work = Work(cgroups, *2 * ["while :; do :; done"])
    time.sleep(1)
    tell("members", *[cgroup.members().split() for cgroup in (*cgroups.cgroups, cgroups.cgroups[0])])
    work.used("processor time, running")
    for process in work.all:
        process.kill()
    work.wait()
    work.used("processor time, ended")


def short(cgroups):
    """Processes that nobody looks at while they live, and that nobody reaps."""
    work = Work(cgroups, f"exec {sys.executable} {__file__} short")
    work.wait()
    work.used("processor time, short lives")


def memory(cgroups):
    """A small program with a large buffer, which waits for a reader of it."""
    told, write = os.pipe()
    process = cgroups.start(["dd", "if=/dev/zero", f"bs={200 * MIB}", "count=1", "status=none"], stdout=write)
    os.close(write)
    os.read(told, 1)
    native, ours = cgroups.numbers("memory.usage_in_bytes")
    tell("memory", native, ours, cgroups.cgroups[0].number("memory.usage_in_bytes"))
    os.close(told)
    process.wait()


def main(native):
    trees.KERNEL, trees.HIERARCHIES = pathlib.Path(native), ("cpuacct", "memory", "pids")
    for work in (busy, short, memory):
        with trees.Together([Shown], work.__name__) as cgroups:
            work(cgroups)


if __name__ == "__main__":
    if sys.argv[1] == "short":
        workloads.unreaped(30)
    else:
        main(sys.argv[1])
