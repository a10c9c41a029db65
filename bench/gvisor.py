#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What our files cost in gVisor, beside its own cgroups and libfuse's hello example, in one run.

All series are measured in one process in turns (bench_fs.c), so that what else
the machine does hits all alike: once as it is, and once below the launcher, which
gVisor has stop each program that opens a file, and which tells its daemon of
forks. Of many short rounds the first decile counts. Figures of two runs are not
for comparison. make bench-gvisor runs it in a sandbox.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

from launcher import NATIVE, RUN, calls
from mounts import BENCH, BINARY, Mount, compile_c, compile_hello, fail, member
from report import QUICK, bench, quiet

HIERARCHIES = ("cpu", "cpuacct", "memory")
ROUNDS, MILLISECONDS = (1, 10) if QUICK else (60, 20)
LEGACY = "/sys/fs/cgroup"  # where the launcher shows our tree

# What is done, to what in a tree (bench_fs.c), and how many times dearer than gVisor's own it may be.
FILES = [("read:cpu/child/cpu.shares", None), ("read:cpuacct/child/cpuacct.usage", 10),
         ("read:cpuacct/cpuacct.usage", None), ("read:memory/child/memory.usage_in_bytes", None),
         ("read:memory/memory.usage_in_bytes", None), ("read:memory/child/memory.stat", None),
         ("mkdir:cpuacct", None), ("attach:cpuacct/child", None)]
MISSING = {"read:memory/child/memory.stat"}  # in gVisor's own
NAMES = {"read": "", "mkdir": "mkdir+rmdir in ", "attach": "join and leave "}


def at(what, tree):
    operation, path = what.split(":")
    return f"{operation}:{tree}/{path}"


def mount_native(stack, top):
    """gVisor's own hierarchies."""
    top.mkdir()
    for name in HIERARCHIES:
        (top / name).mkdir()
        if subprocess.run(["mount", "-t", "cgroup", "-o", name, name, top / name], check=False).returncode:
            fail(f"gVisor's {name} cannot be mounted")
        stack.callback(subprocess.run, ["umount", top / name], check=True)


def make_children(top, pid):
    for name in HIERARCHIES:
        (top / name / "child").mkdir()
        (top / name / "child/cgroup.procs").write_text(str(pid), encoding="ascii")


@contextlib.contextmanager
def native_children(top, pid):
    make_children(top, pid)
    yield
    for name in HIERARCHIES:
        (top / name / "cgroup.procs").write_text(str(pid), encoding="ascii")
        (top / name / "child").rmdir()


def measure(how, series, program, **more):
    """{series: [ns of each round]} of the benchmark's program, run so."""
    result = subprocess.run([*how, program, "-r", str(ROUNDS), "-m", str(MILLISECONDS), *series],
                            text=True, capture_output=True, check=False, **more)
    if result.returncode:
        fail(result.stderr.strip() or f"{program} ended with status {result.returncode}")
    lines = [line.split() for line in result.stdout.splitlines()]
    return {name: [float(ns) for ns in values] for name, *values in lines}


def compare(report, heading, ours, native, hello, measured):
    """The lines of one way to run: each file beside gVisor's own, and beside what FUSE costs at least."""
    print(f"\n{heading}")
    floor = quiet(measured[hello])
    for what, target in FILES:
        operation, path = what.split(":")
        cost = quiet(measured[at(what, ours)])
        name = NAMES[operation] + path
        if what not in MISSING:
            beside = quiet(measured[at(what, native)])
            report.add(name, cost / 1000, "us", ratio=cost / beside, target=target,
                       against=f"gVisor's own ({beside / 1000:.0f})")
        if operation == "read":
            report.add(name, cost / 1000, "us", ratio=cost / floor, against=f"hello ({floor / 1000:.0f})")


def compare_all(report):
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fcg-bench-")))
        program = directory / "bench_fs"
        compile_c(program, BENCH / "bench_fs.c", "-Wall", "-Wextra")
        compile_hello(directory, "hello_direct")
        hello = Mount([str(directory / "hello_direct"), "-o", "default_permissions"],
                      directory / "hello", "hello")
        stack.callback(hello.close)
        floor, native = f"read:{hello}/hello", directory / "native"
        mount_native(stack, native)
        pid = stack.enter_context(member())
        beside = [floor, *(at(what, native) for what, _ in FILES if what not in MISSING)]

        def mount(name, *options):
            with contextlib.ExitStack() as mounted:
                ours = Mount([BINARY, *options], directory / name, "memory/memory.stat")
                mounted.callback(ours.close)
                make_children(ours, pid)
                heading = " ".join(["A mount of fuse_cgroupfs", *options])
                compare(report, f"{heading}. Of files: open, read, close.", ours, native, floor,
                        measure(NATIVE, [*(at(what, ours) for what, _ in FILES), *beside], program))

        mount("backed", "-o", "native=auto")  # its children are gVisor's, too
        stack.enter_context(native_children(native, pid))
        mount("ours")

        how = [RUN, "--v1", "--", "sh", "-ec", "for name in $1; do mkdir $2/$name/child; "
               'echo $3 >$2/$name/child/cgroup.procs; done; shift 3; exec "$@"', "sh",
               " ".join(HIERARCHIES), LEGACY, str(pid)]
        compare(report, "Below fuse_cgroup_run.", LEGACY, native, floor,
                measure(how, [*(at(what, LEGACY) for what, _ in FILES), *beside], program))
        print("\nSystem calls below fuse_cgroup_run.")
        calls(report, directory, judged=False)


if __name__ == "__main__":
    sys.exit(bench(__doc__, compare_all))
