#!/usr/bin/python3
"""Compares our mount with libfuse's hello example and with the kernel's cgroupfs, in one run.

Everything that is compared is measured in one process in turns (bench_fs.c), so
that what else the machine does hits both sides alike. Of many short rounds the
first decile counts: on a busy machine the median is mostly other programs' time
(it is in the JSON file). Figures of two runs are not for comparison.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import time

from mounts import HIERARCHIES, World

MANY = 10_000
FEW = 10


class Report:
    """The rows of the table, printed as they come."""

    def __init__(self):
        self.rows = []

    def heading(self, text):
        print(f"\n{text}")

    def add(self, what, value, unit, *, against="", ratio=None, target=None, median=None):
        """One figure; with a target, `ratio` (or the figure itself) must not be above it."""
        row = {"what": what, "value": round(value, 2), "unit": unit, "against": against,
               "ratio": ratio and round(ratio, 3), "target": target,
               "median": median and round(median, 2)}
        verdict = ""
        if target is not None:
            row["pass"] = (value if ratio is None else ratio) <= target
            verdict = f"{'pass' if row['pass'] else 'MISS'}, <= {target:g}"
        text = f"  {what:<40}{value:>9.2f} {unit:<6}"
        text += " " * 17 if ratio is None else f"{ratio:>8.2f} x     "
        text = f"{text}{verdict:<16}{against}".rstrip()
        self.rows.append(row)
        print(text, flush=True)

    def missed(self):
        return [row for row in self.rows if row.get("pass") is False]


def quiet(values):
    """The ns of one operation while nothing else wanted the machine: the rounds' first decile."""
    return sorted(values)[len(values) // 10]


def compare(report, result, what, ours, *others):
    """A row for each (name, series, target) that ours is compared with."""
    cost = quiet(result[ours])
    for name, series, target in others:
        other = quiet(result[series])
        report.add(what, cost / 1000, "us", against=f"{name} ({other / 1000:.2f})",
                   ratio=cost / other, target=target, median=statistics.median(result[ours]) / 1000)


def stored(report, world):
    """A stored value: what FUSE costs, and nothing else."""
    for operation, what, flush_target, direct_target in (
            ("read", "cpu.shares, open+read+close", 0.85, None),
            ("pread", "cpu.shares, pread", None, 1.05),
            ("stat", "cpu.shares, stat", None, None)):
        ours = f"{operation}:{world.ours}/cpu/child/cpu.shares"
        others = [("hello + direct_io + flush", f"{operation}:{world.flush}/hello", flush_target),
                  ("hello + direct_io", f"{operation}:{world.direct}/hello", direct_target),
                  ("hello as it is: page cache", f"{operation}:{world.hello}/hello", None)]
        if "cpu" in world.kernel:
            others.append(("kernel", f"{operation}:{world.kernel['cpu']}/cpu.shares", None))
        result = world.measure(ours, *(series for _, series, _ in others))
        compare(report, result, what, ours, *others)


def computed(report, world, what, path, sources, kernel):
    """A computed value: at most hello and 1.2 times the reading of what it is computed from."""
    hello = f"read:{world.direct}/hello"
    ours = f"read:{world.ours}/{path}"
    slurps = [f"slurp:{source}" for source in sources]
    native = [("kernel", f"read:{kernel}", None)] if kernel else []
    result = world.measure(ours, hello, *slurps, *(series for _, series, _ in native))
    cost, limit = quiet(result[ours]), quiet(result[hello])
    limit += 1.2 * sum(quiet(result[source]) for source in slurps)
    formula = " + ".join(["hello + direct_io", *(f"1.2 x {source}" for source in sources)])
    report.add(what, cost / 1000, "us", against=f"{formula} ({limit / 1000:.2f})",
               ratio=cost / limit, target=1.0, median=statistics.median(result[ours]) / 1000)
    compare(report, result, what, ours, *native)


def all_computed(report, world):
    """Computed values: reading the source, and what FUSE costs."""
    proc = f"/proc/{world.pid}"
    kernel = world.kernel
    for what, path, sources, hierarchy, name in (
            ("cpuacct.usage, root", "cpuacct/cpuacct.usage", ["/proc/stat"], "cpuacct",
             "../cpuacct.usage"),
            ("cpuacct.usage, child", "cpuacct/child/cpuacct.usage",
             [f"{proc}/stat", f"{proc}/schedstat"], "cpuacct", "cpuacct.usage"),
            ("memory.stat, root", "memory/memory.stat", ["/proc/meminfo", "/proc/vmstat"], "memory",
             "../memory.stat"),
            ("memory.stat, child", "memory/child/memory.stat",
             [f"{proc}/stat", f"{proc}/smaps_rollup"], "memory", "memory.stat")):
        native = kernel[hierarchy] / name if hierarchy in kernel else None
        computed(report, world, what, path, [s for s in sources if os.path.exists(s)], native)


def directories(report, world):
    """Directories: listing one, making and removing one."""
    ours = f"readdir:{world.ours}/cpu/child"
    others = [("hello, 3 names", f"readdir:{world.direct.path}", None)]
    make = f"mkdir:{world.ours}/cpu/child"
    makers = []
    if "cpu" in world.kernel:
        others.append(("kernel", f"readdir:{world.kernel['cpu']}", None))
        makers.append(("kernel", f"mkdir:{world.kernel['cpu']}", None))
    result = world.measure(ours, *(series for _, series, _ in others))
    compare(report, result, "readdir of a cgroup", ours, *others)
    result = world.measure(make, *(series for _, series, _ in makers))
    if makers:
        compare(report, result, "mkdir+rmdir", make, *makers)
    else:
        report.add("mkdir+rmdir", quiet(result[make]) / 1000, "us")


def parallel(report, world):
    """Readers in parallel: the clock's time for one read of all of them."""
    hello = f"read:{world.direct}/hello"
    for threads in (1, 4, 16):
        for path in ("cpu/child/cpu.shares", "memory/child/memory.stat"):
            ours = f"read:{world.ours}/{path}"
            result = world.measure(ours, hello, threads=threads, rounds=50, milliseconds=5)
            compare(report, result, f"{os.path.basename(path)}, readers: {threads}", ours,
                    ("hello + direct_io", hello, None))


def populate(mount, hierarchy, count):
    """Makes `count` cgroups, in a tree of hundreds; the bytes that the daemon grew by for each."""
    before = mount.resident()
    for group in range(0, count, 100):
        parent = mount / hierarchy / f"group-{group // 100}"
        parent.mkdir()
        for number in range(1, min(100, count - group)):
            (parent / f"child-{number}").mkdir()
    return (mount.resident() - before) / count


def populations(report, world):
    """Ten cgroups in each hierarchy, and ten thousand: what each takes, what a read costs."""
    few, many = world.start_ours("few"), world.start_ours("many")
    growth = {}
    for hierarchy in HIERARCHIES:
        populate(few, hierarchy, FEW)
        growth[hierarchy] = populate(many, hierarchy, MANY)
    for hierarchy, size in growth.items():
        report.add(f"memory of a cgroup, {hierarchy}", size, "bytes", target=2048)
    for operation in ("read", "pread"):
        for path in ("cpu/group-0/child-5/cpu.shares", "cpuacct/cpuacct.usage",
                     "cpuacct/group-0/child-5/cpuacct.usage", "memory/memory.stat",
                     "memory/group-0/child-5/memory.stat", "memory/group-0/memory.stat"):
            series = [f"{operation}:{mount}" for mount in (many / path, few / path)]
            compare(report, world.measure(*series), f"{operation} {path.replace('group-0', '..')}",
                    series[0], (f"with {FEW} cgroups", series[1], 1.2))
    for mount in (few, many):
        mount.check()


def describe():
    """What the figures were measured on."""
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        model = next((line.split(":", 1)[1].strip() for line in cpuinfo
                      if line.startswith("model name")), "unknown")
    return {"kernel": os.uname().release, "machine": os.uname().machine, "model": model,
            "cpus": len(os.sched_getaffinity(0)), "load": round(os.getloadavg()[0], 2)}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the figures here too")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    report, machine, start = Report(), describe(), time.monotonic()
    print(" ".join(f"{key}: {value}" for key, value in machine.items()))
    print("First deciles of short rounds in turns. In parentheses: the other side, us.", flush=True)
    with contextlib.ExitStack() as stack:
        world = World(stack)
        for part in (stored, all_computed, directories, parallel, populations):
            report.heading(part.__doc__)
            part(report, world)
    seconds = time.monotonic() - start
    missed = report.missed()
    with_target = sum(row["target"] is not None for row in report.rows)
    print(f"\n{with_target - len(missed)} of {with_target} targets reached, in {seconds:.0f} s")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine, "seconds": round(seconds), "results": report.rows},
                      file, indent=1)
            file.write("\n")
    return 1 if missed and arguments.strict else 0


if __name__ == "__main__":
    sys.exit(main())
