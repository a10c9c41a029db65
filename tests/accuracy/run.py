#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
How true our figures are: the same processes in the kernel's cgroup v1, in our v1
and in our v2 at once. Prints a table, writes JSON with --json FILE, and fails when a
figure is further off than it may be.
"""
import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import trees

HERE = pathlib.Path(__file__).resolve()
WORKLOADS = [sys.executable, str(HERE.with_name("workloads.py"))]
PROJECT = HERE.parents[2]
LOOP = "i=0; while [ $i -lt {} ]; do /bin/true; i=$((i+1)); done"
BUSY_SECONDS, SHORT = 10, 5000
BUSY_SECONDS_QUICK, SHORT_QUICK = 3, 3000 # 20 ms that ticks may cut off are 1 % of it


class Report:
    def __init__(self):
        self.rows = []

    def add(self, source, workload, figure, figures, bound):
        """One figure of all; `bound` is how many percent they may differ, None for any."""
        kernel, *all_ours = figures
        for version, ours in zip(trees.CGROUPS, all_ours):
            self.add_one(f"{source} {version}", workload, figure, (kernel, ours), bound)

    def add_one(self, source, workload, figure, pair, bound):
        kernel, ours = pair
        off = 100.0 * (ours - kernel) / kernel if kernel else (0.0 if not ours else 100.0)
        verdict = "" if bound is None else "pass" if abs(off) <= bound else "MISS"
        self.rows.append(dict(source=source, workload=workload, figure=figure, kernel=kernel,
                              ours=ours, percent=round(off, 2), bound=bound, verdict=verdict))
        bound_text = "" if bound is None else f"{bound:4.0f} %"
        print(f"{source:9} {workload:22} {figure:24} {kernel:>16} {ours:>16} "
              f"{off:+8.2f} % {bound_text:>7} {verdict}", flush=True)

    def missed(self):
        return [row for row in self.rows if row["verdict"] == "MISS"]


def cpu_time(report, mounts, source, name, command, bound, **options):
    with trees.Together(mounts, name) as cgroups:
        process = cgroups.start(command, stdout=subprocess.DEVNULL, start_new_session=True, **options)
        process.wait()
        time.sleep(0.3)
        report.add(source, name, "cpuacct.usage", cgroups.numbers("cpuacct.usage"), bound)


def two_busy(report, mounts, source, seconds):
    """(a) two CPU-bound processes, and who they are."""
    name = "two busy"
    with trees.Together(mounts, name.replace(" ", "-")) as cgroups:
        busy = [cgroups.start(["sh", "-c", "while :; do :; done"]) for _ in range(2)]
        time.sleep(seconds)
        report.add(source, name, "cpuacct.usage, running", cgroups.numbers("cpuacct.usage"), 1)
        report.add(source, name, "pids.current", cgroups.numbers("pids.current"), 0)
        report.add(source, name, "process list", [hash_of(text) for text in cgroups.members()], 0)
        for process in busy:
            process.kill()
            process.wait()
        time.sleep(0.3)
        report.add(source, name, "cpuacct.usage, ended", cgroups.numbers("cpuacct.usage"), 1)


def hash_of(text):
    return sum((line + 1) * int(pid) for line, pid in enumerate(text.split()))


def compile_project(report, mounts, source, bound):
    with tempfile.TemporaryDirectory() as build:
        cpu_time(report, mounts, source, "make -j4",
                 ["make", "-s", "-j4", f"BUILD={build}", f"{build}/fuse_cgroupfs"], bound,
                 cwd=PROJECT, stderr=subprocess.DEVNULL)


def elsewhere(report, mounts, source):
    """Work of children whose parent, who is told what they used, is in another cgroup."""
    with trees.Together(mounts, "here") as here, trees.Together(mounts, "there") as there:
        here.start([*WORKLOADS, "elsewhere", *there.procs()]).wait()
        time.sleep(0.3)
        report.add(source, "reaped from elsewhere", "cpuacct.usage", there.numbers("cpuacct.usage"),
                   2 if source == "events" else 5)


def memory(report, mounts, source, directory):
    """(d) each stage at rest."""
    with trees.Together(mounts, "memory") as cgroups:
        process = cgroups.start([*WORKLOADS, "memory"], cwd=directory, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for stage in process.stdout:
            stage = stage.strip()
            time.sleep(1.1) # the longest window of a reading
            rss = cgroups.stats("rss")
            report.add(source, stage, "memory.stat rss", rss, 2 if rss[0] > 16 << 20 else None)
            huge = cgroups.stats("rss_huge")
            if huge[0]:
                report.add(source, stage, "memory.stat rss_huge", huge, 2)
            usage = cgroups.numbers("memory.usage_in_bytes")
            unmapped = cgroups.stats("cache")[0] - cgroups.stats("mapped_file")[0]
            report.add(source, stage, "usage, mapped part", (usage[0] - unmapped, *usage[1:]),
                       5 if usage[0] > 64 << 20 else None)
            process.stdin.write("\n")
            process.stdin.flush()
        process.wait()


def peaks(report, mounts, source):
    """(f) 100 MiB for a moment, while nobody reads."""
    for seconds in (0.02, 0.05, 0.3, 1.5):
        for end in ("ended", "freed"):
            with trees.Together(mounts, "peak") as cgroups:
                process = cgroups.start([*WORKLOADS, "peak", str(seconds), end], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                process.stdout.readline()
                if end == "ended":
                    process.wait()
                bound = 5 if source == "events" or seconds > 1 else None
                report.add(source, f"peak, {seconds} s, {end}", "max_usage_in_bytes",
                           cgroups.numbers("memory.max_usage_in_bytes"), bound)
                process.communicate()


def input_output(report, mounts, source, directory):
    """(e) 200 MiB each way."""
    for name in ("direct_io", "buffered_io"):
        with trees.Together(mounts, name) as cgroups:
            process = cgroups.start([*WORKLOADS, name], cwd=directory)
            process.wait()
            time.sleep(0.3)
            for direction in ("Read", "Write"):
                report.add(source, name, f"io_service_bytes {direction}",
                           cgroups.io_bytes(direction), 2)


@contextlib.contextmanager
def loop_devices(directory, count):
    """Disks of our own, of 128 MiB."""
    with contextlib.ExitStack() as stack:
        devices = []
        for _ in range(count):
            file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="fcg-accuracy-", dir=directory))
            file.truncate(128 << 20)
            device = subprocess.run(["losetup", "--find", "--show", file.name], check=True, text=True,
                                    stdout=subprocess.PIPE).stdout.strip()
            stack.callback(subprocess.run, ["losetup", "--detach", device], check=True)
            devices.append(device)
        yield devices


def several_disks(report, mounts, source, directory):
    """Direct I/O to one after the other: each has what was done to it."""
    name = "several disks"
    with loop_devices(directory, 2) as disks, trees.Together(mounts, "disks") as cgroups:
        file = pathlib.Path(directory, "several")
        file.write_bytes(bytes(16 << 20))
        places = [(disk, number_of(os.stat(disk).st_rdev)) for disk in disks]
        places.append((file, number_of(os.stat(file).st_dev)))
        for _, number in places:
            count_throttle_bytes(number)
        shell = cgroups.start(["sh"], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
        for megabytes, (place, _) in zip((100, 30, 60), places):
            for option in (f"of={place} if=/dev/zero oflag=direct", f"if={place} of=/dev/null iflag=direct"):
                shell.stdin.write(f"dd bs=1M count={megabytes} {option}; echo $?\n")
                shell.stdin.flush()
                assert shell.stdout.readline() == "0\n"
                cgroups.io_bytes("Read")
        shell.stdin.close()
        shell.wait()
        time.sleep(0.3)
        for at, (_, number) in enumerate(places):
            for direction in ("Read", "Write"):
                report.add(source, name, f"disk {at} {direction}", cgroups.io_bytes(direction, number), 2)
        file.unlink()


def measure(report, binary, source, directory, quick):
    by_events = source == "events"
    short = SHORT_QUICK if quick else SHORT
    with trees.Mount(binary, source, "v1") as legacy, trees.Mount(binary, source, "v2") as unified:
        mounts = (legacy, unified)
        two_busy(report, mounts, source, BUSY_SECONDS_QUICK if quick else BUSY_SECONDS)
        cpu_time(report, mounts, source, f"{short} short", ["sh", "-c", LOOP.format(short)],
                 2 if by_events else 3)
        compile_project(report, mounts, source, 2 if by_events else 3)
        cpu_time(report, mounts, source, "double fork", [*WORKLOADS, "orphans"],
                 1 if by_events else 10)
        cpu_time(report, mounts, source, "nobody reaps", [*WORKLOADS, "unreaped"],
                 5 if by_events else None) # shorter than any scan's interval
        elsewhere(report, mounts, source)
        memory(report, mounts, source, directory)
        peaks(report, mounts, source)
        input_output(report, mounts, source, directory)
        several_disks(report, mounts, source, directory)


def number_of(device):
    return f"{os.major(device)}:{os.minor(device)}"


def count_throttle_bytes(number):
    """Linux counts blkio.throttle only for disks that some cgroup has had a limit for."""
    name = trees.KERNEL / "blkio" / f"fcg-accuracy-{os.getpid()}-count"
    name.mkdir()
    try:
        (name / "blkio.throttle.read_iops_device").write_text(f"{number} 4000000000")
    finally:
        name.rmdir()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", type=pathlib.Path)
    arguments.add_argument("--quick", action="store_true", help="less of (a) and (b)")
    arguments.add_argument("--directory", default=PROJECT / "build", type=pathlib.Path,
                           help="on a disk, for the I/O (default: build)")
    arguments.add_argument("sources", nargs="*", default=["events", "scan"])
    arguments = arguments.parse_args()
    if not (trees.KERNEL / "cpuacct" / "cpuacct.usage").exists() or os.geteuid():
        print("skipped: needs root and a live cgroup v1 at /sys/fs/cgroup to compare with")
        return 0
    binary = os.environ.get("FUSE_CGROUPFS", PROJECT / "build" / "fuse_cgroupfs")
    report = Report()
    print(f"{'source':9} {'workload':22} {'figure':24} {'kernel':>16} {'ours':>16} "
          f"{'off':>10} {'may be':>7}")
    count_throttle_bytes(number_of(os.stat(arguments.directory).st_dev))
    for source in arguments.sources:
        measure(report, binary, source, arguments.directory, arguments.quick)
    if arguments.json:
        arguments.json.write_text(json.dumps(report.rows, indent=1))
    missed = report.missed()
    print(f"{len(report.rows) - len(missed)} passed, {len(missed)} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
