#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares our mount with libfuse's hello example and with the kernel's cgroupfs, in one run.

All series of a kind are measured in one process in turns (bench_fs.c), so that
what else the machine does hits all alike. Of many short rounds the first decile
counts: on a busy machine the median is mostly other programs' time (it is in
the JSON file). A single reader shares one processor with the daemons, so that
work is compared: an idle processor takes its time to wake up, the more the
longer it slept, and a virtual one up to twice the time of the whole request.
What clients have who are not bound so is in the series that are "free".
Figures of two runs are not for comparison.
"""

import contextlib
import itertools
import os
import statistics
import sys
from dataclasses import dataclass

from mounts import HIERARCHIES, World, enable_all
from report import QUICK, bench, quiet

MANY = 200 if QUICK else 10_000
FEW = 10
UNIFIED = "" # the directory of v2's hierarchy


@dataclass
class Row:
    """A line of the table: one series, in proportion to the weighted sum of others."""

    what: str
    series: str
    against: str = ""
    parts: tuple = () # (factor, series)
    target: float | None = None
    threads: int = 1
    free: bool = False # one reader, which the kernel may move as it likes

    def where(self):
        """What it is measured with at once."""
        return self.threads, self.free


def versus(what, series, *others, threads=1, free=False):
    """A row for each (name, series, target) that a series is compared with."""
    return [Row(what, series, name, ((1, other),), target, threads, free)
            for name, other, target in others]


# --- what is compared with what ---

def stored(world):
    """A stored value: what FUSE costs, and nothing else."""
    for operation, what, flush_target, direct_target in (
            ("read", "cpu.shares, open+read+close", 0.85, None),
            ("pread", "cpu.shares, pread", None, 1.05),
            ("stat", "cpu.shares, stat", None, None)):
        others = [("hello + direct_io + flush", f"{operation}:{world.flush}/hello", flush_target),
                  ("hello + direct_io", f"{operation}:{world.direct}/hello", direct_target),
                  ("hello as it is: page cache", f"{operation}:{world.hello}/hello", None)]
        if "cpu" in world.kernel:
            others.append(("kernel", f"{operation}:{world.kernel['cpu']}/cpu.shares", None))
        yield from versus(what, f"{operation}:{world.ours}/cpu/child/cpu.shares", *others)
        yield from versus(what.replace("cpu.shares", "v2's cpu.weight"),
                          f"{operation}:{world.unified}/child/cpu.weight", *others[:3])


def computed(world):
    """Computed values: reading the source, and what FUSE costs."""
    proc = f"/proc/{world.pid}"
    usage, memory = [f"{proc}/stat", f"{proc}/schedstat"], [f"{proc}/stat", f"{proc}/smaps_rollup"]
    machine = ["/proc/meminfo", "/proc/vmstat"]
    for what, mount, path, sources, native in (
            ("cpuacct.usage, root", world.ours, "cpuacct/cpuacct.usage", ["/proc/stat"], "../cpuacct.usage"),
            ("cpuacct.usage, child", world.ours, "cpuacct/child/cpuacct.usage", usage, "cpuacct.usage"),
            ("memory.stat, root", world.ours, "memory/memory.stat", machine, "../memory.stat"),
            ("memory.stat, child", world.ours, "memory/child/memory.stat", memory, "memory.stat"),
            ("v2's cpu.stat, root", world.unified, "cpu.stat", ["/proc/stat"], None),
            ("v2's cpu.stat, child", world.unified, "child/cpu.stat", usage, None),
            ("v2's memory.stat, root", world.unified, "memory.stat", machine, None),
            ("v2's memory.stat, child", world.unified, "child/memory.stat", memory, None)):
        sources = [source for source in sources if os.path.exists(source)]
        parts = [(1, f"read:{world.direct}/hello"), *((1.2, f"slurp:{path}") for path in sources)]
        formula = " + ".join(["hello + direct_io", *(f"1.2 x {source}" for source in sources)])
        ours, hierarchy = f"read:{mount}/{path}", path.split("/", 1)[0]
        yield Row(what, ours, formula, tuple(parts), 1.0)
        if native and hierarchy in world.kernel:
            native = f"read:{world.kernel[hierarchy]}/{native}"
            yield from versus(what, ours, ("kernel", native, None))


def free(world):
    """One reader, free on all processors as its daemon is: what waking another one costs."""
    for operation, what in (("read", "open+read+close"), ("pread", "pread")):
        yield from versus(f"cpu.shares, {what}, free", f"{operation}:{world.ours}/cpu/child/cpu.shares",
                          ("hello + direct_io", f"{operation}:{world.direct}/hello", None),
                          ("hello + direct_io + flush", f"{operation}:{world.flush}/hello", None),
                          ("without io_uring", f"{operation}:{world.plain}/cpu/child/cpu.shares", None),
                          free=True)


def directories(world):
    """Directories: listing one, making and removing one."""
    listing, make = f"readdir:{world.ours}/cpu/child", f"mkdir:{world.ours}/cpuacct/child"
    yield Row("readdir of a cgroup of v2", f"readdir:{world.unified}/child")
    yield Row("mkdir+rmdir, v2", f"mkdir:{world.unified}")
    yield from versus("readdir of a cgroup", listing,
                      ("hello, 3 names", f"readdir:{world.direct}", None))
    if "cpu" in world.kernel:
        yield from versus("readdir of a cgroup", listing,
                          ("kernel", f"readdir:{world.kernel['cpu']}", None))
    if "cpuacct" in world.kernel:
        yield from versus("mkdir+rmdir", make, ("kernel", f"mkdir:{world.kernel['cpuacct']}", None))
    else:
        yield Row("mkdir+rmdir", make)


def parallel(world):
    """Readers in parallel: the clock's time for one read of all of them."""
    for threads in (1, 4, 16):
        for path in ("cpu/child/cpu.shares", "memory/child/memory.stat"):
            yield from versus(f"{os.path.basename(path)}, readers: {threads}",
                              f"read:{world.ours}/{path}",
                              ("hello + direct_io", f"read:{world.direct}/hello", None),
                              threads=threads)


def populations(world):
    """Ten thousand cgroups in each hierarchy, and ten: what a read costs."""
    legacy = ("cpu/group-0/child-5/cpu.shares", "cpuacct/cpuacct.usage",
              "cpuacct/group-0/child-5/cpuacct.usage", "memory/memory.stat",
              "memory/group-0/child-5/memory.stat", "memory/group-0/memory.stat")
    unified = ("group-0/child-5/cpu.weight", "cpu.stat", "group-0/child-5/cpu.stat", "memory.stat",
               "group-0/child-5/memory.stat", "group-0/memory.stat")
    for mounts, paths, version in (((world.few, world.many), legacy, ""),
                                   ((world.few_unified, world.many_unified), unified, "v2's ")):
        for operation, path in itertools.product(("read", "pread"), paths):
            few, many = (f"{operation}:{mount}/{path}" for mount in mounts)
            yield from versus(f"{operation} {version}{path.replace('group-0', '..')}", many,
                              (f"with {FEW} cgroups", few, 1.2))


# --- measuring ---

def add_row(report, row, result):
    """A compared series, in us."""
    values = result[row.where(), row.series]
    cost, median = quiet(values), statistics.median(values) / 1000
    if not row.parts:
        report.add(row.what, cost / 1000, "us", median=median)
        return
    other = sum(factor * quiet(result[row.where(), series]) for factor, series in row.parts)
    report.add(row.what, cost / 1000, "us", against=f"{row.against} ({other / 1000:.2f})",
               ratio=cost / other, target=row.target, median=median)


def measure(world, rows):
    """{((threads, free), series): [ns of each round]}"""
    result = {}
    for where, rounds, milliseconds in (((1, False), 150, 2), ((1, True), 150, 2), ((4, False), 60, 5),
                                        ((16, False), 60, 5)):
        rounds = 3 if QUICK else rounds
        series = dict.fromkeys(name for row in rows if row.where() == where
                               for name in (row.series, *(part for _, part in row.parts)))
        threads, is_free = where
        measured = world.measure(*series, threads=threads, bound=threads == 1 and not is_free,
                                 rounds=rounds, milliseconds=milliseconds)
        result |= {(where, name): values for name, values in measured.items()}
    return result


def populate(mount, hierarchy, count):
    """Makes `count` cgroups, in a tree of hundreds; the bytes that the daemon grew by for each."""
    before, top = mount.resident(), mount / hierarchy
    make_group = enable_all if hierarchy == UNIFIED else lambda cgroup: None
    make_group(top)
    for group in range(0, count, 100):
        parent = top / f"group-{group // 100}"
        parent.mkdir()
        make_group(parent)
        for number in range(1, min(100, count - group)):
            (parent / f"child-{number}").mkdir()
    return (mount.resident() - before) / count


def compare_all(report):
    """All sections, on one world."""
    print("First deciles of short rounds in turns. In parentheses: the other side, us.", flush=True)
    with contextlib.ExitStack() as stack:
        compare(report, World(stack))


def compare(report, world):
    growth = {}
    for hierarchy in HIERARCHIES:
        populate(world.few, hierarchy, FEW)
        growth[hierarchy] = populate(world.many, hierarchy, MANY)
    populate(world.few_unified, UNIFIED, FEW)
    growth["v2, with all controllers"] = populate(world.many_unified, UNIFIED, MANY)
    sections = {section.__doc__: list(section(world))
                for section in (stored, free, computed, directories, parallel, populations)}
    result = measure(world, [row for rows in sections.values() for row in rows])
    for heading, rows in sections.items():
        print(f"\n{heading}")
        for row in rows:
            add_row(report, row, result)
    print(f"\nMemory of a cgroup, by what {MANY:,} of them took.")
    for hierarchy, size in growth.items():
        report.add(hierarchy, size, "bytes", target=2048)


if __name__ == "__main__":
    sys.exit(bench(__doc__, compare_all))
