#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What accounting costs. Reading every cgroup's files in our trees of v1 and v2 and in
the kernel's own, with the same processes in all; an idle daemon's processor
time; and how much slower many short processes run while they are followed.
Prints a table, writes JSON with --json FILE, and fails when a figure is worse
than it may be.
"""
import argparse
import contextlib
import errno
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import trees

HERE = pathlib.Path(__file__).resolve()
PROJECT = HERE.parents[2]
SOURCES = ("events", "scan")
PARTS = ("trees", "forks")
# BENCH_QUICK=1: all of it runs, with too little for figures to be judged.
QUICK = bool(os.environ.get("BENCH_QUICK"))
REST = "rest" # the cgroup of who made the processes
SMALL, LARGE = (20, 100), (40, 200) if QUICK else (1000, 5000) # cgroups, processes
PASSES = 3
SETTLE_SECONDS = 1 if QUICK else 20 # after which members that rest are seldom read
APART = 1.1 # seconds between two passes over a tree: the longest that a reading is used again
LEAF_READS, LEAF_APART_MS = 100, 12
IDLE_SECONDS = 1 if QUICK else 20
LOOPED = 200 if QUICK else 5000 # processes: with 500 it is the daemon's start that is measured
PAIRS = 2 if QUICK else 40 # a processor of a shared machine is now a tenth faster, now slower
LOOP = f"read go; i=0; while [ $i -lt {LOOPED} ]; do /bin/true; i=$((i+1)); done"


class Report:
    """The table. A figure with a bound passes when it is not above it."""

    def __init__(self):
        self.rows = []
        print(f"{'cgroups':>7} {'source':7} {'figure':40} {'kernel':>10} {'ours':>10} "
              f"{'ratio':>8} {'may be':>7}")

    def add(self, cgroups, source, figure, ours, kernel=None, unit="", bound=None):
        """With a kernel's figure the ratio is what is bound, else the figure itself."""
        ratio = ours / kernel if kernel else None
        judged = ours if ratio is None else ratio
        verdict = "" if bound is None else "pass" if judged <= bound else "MISS"
        self.rows.append(dict(cgroups=cgroups, source=source, figure=figure, unit=unit, kernel=kernel,
                              ours=ours, ratio=ratio, bound=bound, verdict=verdict))
        cells = [f"{value:{width}.{digits}f}" if value is not None else " " * width
                 for value, width, digits in ((kernel, 10, 2), (ours, 10, 3), (ratio, 8, 2))]
        print(f"{cgroups or '':>7} {source:7} {figure + ', ' + unit:40} {' '.join(cells)} "
              f"{'' if bound is None else bound:>7} {verdict}", flush=True)

    def slowdown(self, source, figure, ratios, bound=None):
        """The median of pairs, and how sure it is."""
        self.add(None, source, figure, 100 * (statistics.median(ratios) - 1), unit="%", bound=bound)
        low, high = (100 * (ratio - 1) for ratio in median_range(ratios))
        print(f"{'':15} (95 % sure: {low:+.1f} % to {high:+.1f} %, {len(ratios)} pairs)")

    def missed(self):
        return [row for row in self.rows if row["verdict"] == "MISS"]


def processor_seconds(pid):
    """Of a process, all threads it ever had: its CPU clock (clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


class World:
    """Cgroups in the kernel's hierarchies and in those of our mounts, with the same processes."""

    def __init__(self, helper, mounts, shape):
        self.helper = helper
        self.count, self.processes = shape
        self.name = f"fcg-cost-{os.getpid()}"
        self.mounts = mounts
        self.trees = {"kernel": (trees.Legacy, trees.KERNEL)}
        self.trees.update((source, (mount.cgroup, mount.path)) for source, mount in mounts.items())
        self.sleepers = None

    def cgroup(self, tree, name=""):
        kind, path = self.trees[tree]
        return kind(path, f"{self.name}/{name}")

    def directories(self, tree, name=""):
        return self.cgroup(tree, name).directories

    def procs(self, cgroup=""):
        return " ".join(str(directory / "cgroup.procs") for tree in self.trees
                        for directory in self.directories(tree, cgroup))

    def names(self):
        return [f"g{number}" for number in range(self.count)]

    def __enter__(self):
        try:
            for name in ["", *self.names(), REST]:
                for tree in self.trees:
                    for directory in self.directories(tree, name):
                        directory.mkdir()
                    if not name:
                        self.cgroup(tree).hand_on()
            self.populate()
        except BaseException:
            self.__exit__()
            raise
        return self

    def populate(self):
        each = self.processes // self.count
        self.sleepers = subprocess.Popen([self.helper, "sleep"], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        lines = [f"{each} {self.procs(name)}" for name in self.names()]
        print(*lines, f"0 {self.procs(REST)}", "", sep="\n", file=self.sleepers.stdin, flush=True)
        if self.sleepers.stdout.readline() != "ready\n":
            raise SystemExit("the processes did not start")
        for name in self.names():
            lists = {self.cgroup(tree, name).members() for tree in self.trees}
            if len(lists) != 1 or len(lists.pop().split()) != each:
                raise SystemExit(f"{name} has not the same {each} processes everywhere")

    def wake(self):
        """Every process runs for a moment."""
        os.killpg(self.sleepers.pid, signal.SIGUSR1)
        time.sleep(0.3)

    def read(self, tree, names, rounds=1, pause=0):
        """Seconds of each round of open, read, close of the cgroups' files."""
        cgroups = [self.cgroup(tree, name) for name in names]
        files = [cgroup.file(file) for cgroup in cgroups for file in cgroup.HOUSEKEEPING]
        result = subprocess.run([self.helper, "read", str(rounds), str(pause)], text=True, check=True,
                                input="\n".join(map(str, files)) + "\n", stdout=subprocess.PIPE)
        return [int(line) / 1e9 for line in result.stdout.split()]

    def __exit__(self, *_):
        if self.sleepers:
            self.sleepers.stdin.close()
            self.sleepers.wait()
        for tree in self.trees:
            for name in [*self.names(), REST, ""]:
                for directory in self.directories(tree, name):
                    remove(directory)


def remove(directory):
    """A process that was killed a moment ago may still keep it busy."""
    for _ in range(200):
        try:
            return directory.rmdir()
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno != errno.EBUSY:
                return None # the daemon has ended, and its tree with it
        time.sleep(0.02)
    print(f"cannot remove {directory}", file=sys.stderr)
    return None


@contextlib.contextmanager
def mounted(binary, source, version="v1"):
    """trees.Mount, of which nothing stays if the daemon ends early."""
    mount = trees.Mount(binary, source, version)
    try:
        yield mount
        if mount.daemon.poll() is not None:
            raise SystemExit(f"the {source} daemon ended with {mount.daemon.returncode} by itself")
    finally:
        mount.daemon.terminate()
        mount.daemon.wait()
        if str(mount.path) in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8"):
            subprocess.run(["umount", "-l", mount.path], check=False)
        mount.path.rmdir()


# --- (a) reading ---

def one_round(world, figures, before=None):
    """A pass over each tree."""
    if before:
        before()
    for tree in world.trees:
        pid = world.mounts[tree].daemon.pid if tree in world.mounts else None
        spent = processor_seconds(pid) if pid else 0
        wall = world.read(tree, world.names())[0]
        figures[tree].append((wall, processor_seconds(pid) - spent if pid else 0))


def add_passes(report, world, name, figures):
    medians = {tree: [1000 * statistics.median(column) for column in zip(*of_tree)]
               for tree, of_tree in figures.items()}
    for source in world.mounts:
        report.add(world.count, source, name, medians[source][0], medians["kernel"][0], "ms")
        report.add(world.count, source, f"{name}: daemon's CPU", medians[source][1], unit="ms")
    report.add(world.count, "v2", f"{name}: CPU, to v1's", medians["v2"][1], medians["events"][1], "ms",
               None if name == "first pass" else 1)


def passes(report, world):
    for name, rounds, before in (("first pass", 1, None), ("pass, all asleep", PASSES, None),
                                 ("pass, all have run", PASSES, world.wake)):
        figures = {tree: [] for tree in world.trees}
        for _ in range(rounds):
            one_round(world, figures, before)
            time.sleep(APART)
        add_passes(report, world, name, figures)


def leaf(world):
    """Milliseconds to read one cgroup's files, as the quieter half of the reads has it."""
    figures = {tree: [] for tree in world.trees}
    for _ in range(4):
        for tree in world.trees:
            figures[tree] += world.read(tree, ["g7"], LEAF_READS // 4, LEAF_APART_MS)
    return {tree: 1000 * statistics.quantiles(of_tree, n=4)[0] for tree, of_tree in figures.items()}


# --- (b) at rest ---

def forks():
    with open("/proc/stat", encoding="ascii") as stat:
        return next(int(line.split()[1]) for line in stat if line.startswith("processes"))


def idle(report, world):
    time.sleep(SETTLE_SECONDS)
    pids = {source: mount.daemon.pid for source, mount in world.mounts.items()}
    before, forked = {s: processor_seconds(pid) for s, pid in pids.items()}, forks()
    time.sleep(IDLE_SECONDS)
    for source, pid in pids.items():
        percent = 100 * (processor_seconds(pid) - before[source]) / IDLE_SECONDS
        report.add(world.count, source, "idle daemon", percent, unit="% of a core", bound=0.1)
    print(f"{'':15} (forks on the machine meanwhile: {forks() - forked})")


def memory(report, world):
    for source, mount in world.mounts.items():
        status = pathlib.Path("/proc", str(mount.daemon.pid), "status").read_text(encoding="utf-8")
        resident = next(int(line.split()[1]) for line in status.splitlines()
                        if line.startswith("VmRSS"))
        report.add(world.count, source, "daemon's resident memory", resident / 1024, unit="MiB")


# --- (c) short processes ---

def run_loop(mount):
    """The loop, in a cgroup of ours if there is a mount: seconds, its processor's, the daemon's."""
    cgroups = [mount.path / h / "fork" for h in trees.HIERARCHIES] if mount else []
    for cgroup in cgroups:
        cgroup.mkdir()

    def enter():
        for cgroup in cgroups:
            (cgroup / "cgroup.procs").write_text("0")

    with subprocess.Popen(["sh", "-c", LOOP], stdin=subprocess.PIPE, preexec_fn=enter) as shell:
        try:
            time.sleep(0.05)
            spent = processor_seconds(mount.daemon.pid) if mount else 0
            start = time.monotonic()
            shell.stdin.write(b"\n")
            shell.stdin.close()
            _, shell.returncode, usage = os.wait4(shell.pid, 0)
            wall = time.monotonic() - start
            spent = processor_seconds(mount.daemon.pid) - spent if mount else 0
            return wall, usage.ru_utime + usage.ru_stime, spent
        finally:
            shell.kill()


def median_range(values):
    """Between which of the values the true median is, in 95 of 100 cases."""
    reach = 0.98 * len(values) ** 0.5
    low = max(0, int(len(values) / 2 - reach))
    return sorted(values)[low], sorted(values)[len(values) - 1 - low]


def fork_heavy(report, binary, count):
    """
    In turns, there and back, so that what else the machine does falls on all
    alike. Processor time, the daemon's with the loop's, is how much slower it is
    where no processor is idle.
    """
    variants, runs = [None, *SOURCES], {source: [] for source in (None, *SOURCES)}
    for number in range(count):
        for source in variants[::1 if number % 2 else -1]:
            with mounted(binary, source) if source else contextlib.nullcontext() as mount:
                runs[source].append(run_loop(mount))
    for source in SOURCES:
        pairs = list(zip(runs[source], runs[None]))
        report.add(None, source, f"{LOOPED} short processes, without and with",
                   *(statistics.median(run[0] for run in of) for of in (runs[source], runs[None])), "s")
        report.slowdown(source, "slowdown", [ours[0] / without[0] for ours, without in pairs], 3)
        report.slowdown(source, "more processor time",
                        [(ours[1] + ours[2]) / without[1] for ours, without in pairs])
        report.add(None, source, "daemon's CPU of the loop's",
                   100 * statistics.median(run[2] / run[1] for run in runs[source]), unit="%")


# --- all of it ---

@contextlib.contextmanager
def world_of(binary, helper, shape):
    with mounted(binary, "events") as events, mounted(binary, "scan") as scan, \
            mounted(binary, "events", "v2") as unified:
        with World(helper, {"events": events, "scan": scan, "v2": unified}, shape) as world:
            yield world


def measure(report, binary, helper, arguments):
    if "trees" in arguments.parts:
        measure_trees(report, binary, helper)
    if "forks" in arguments.parts:
        fork_heavy(report, binary, arguments.pairs)


def measure_trees(report, binary, helper):
    with world_of(binary, helper, SMALL) as world:
        passes(report, world)
        small = leaf(world)
    with world_of(binary, helper, LARGE) as world:
        passes(report, world)
        large = leaf(world)
        for tree in world.trees:
            report.add(None, tree, "a leaf of 20 and of 1,000 cgroups", large[tree], small[tree],
                       "ms", None if tree == "kernel" else 1.25)
        idle(report, world)
        memory(report, world)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", type=pathlib.Path)
    arguments.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    arguments.add_argument("--pairs", type=int, default=PAIRS, help="of loops with and without")
    arguments = arguments.parse_args()
    if os.geteuid() or not all((trees.KERNEL / h / "tasks").exists() for h in trees.HIERARCHIES):
        print("skipped: needs root and a live cgroup v1 at /sys/fs/cgroup to compare with")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    binary = os.environ.get("FUSE_CGROUPFS", PROJECT / "build" / "fuse_cgroupfs")
    with tempfile.TemporaryDirectory(prefix="fcg-cost-") as directory:
        helper = f"{directory}/cost_helper"
        subprocess.run([os.environ.get("CC", "gcc"), "-O2", "-D_GNU_SOURCE", "-o", helper,
                        HERE.with_name("cost_helper.c")], check=True)
        report = Report()
        measure(report, binary, helper, arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(report.rows, indent=1))
    missed = report.missed()
    print(f"{len(report.rows) - len(missed)} passed, {len(missed)} failed")
    return 1 if missed and not QUICK else 0


if __name__ == "__main__":
    sys.exit(main())
