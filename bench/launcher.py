#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What fuse_cgroup_run costs: calls, signals, a build, a JVM's start, beside native and strace.

The floor of a build is a supervisor that catches the same opens and asks nothing.

Native and launched runs take turns, so that what else the machine does hits
both alike. Of calls the first decile of short rounds counts, of the longer
runs the median of how many times longer than the native one of the same turn
each took. Figures of two runs are not for comparison.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from mounts import BENCH, compile_c, fail
from report import QUICK, bench, quiet, take_turns

ROOT = BENCH.parent
RUN = os.environ.get("FUSE_CGROUP_RUN", str(ROOT / "build" / "fuse_cgroup_run"))
NATIVE, LAUNCHED = (), (RUN, "--")
FLOOR = (os.environ.get("BENCH_FLOOR", str(ROOT / "build" / "bench_floor")),)
NOT_URGENT = ("setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice", "--")
STRACED = ("strace", "-f", "-qq", "-o", "/dev/null")

# The order of bench_calls.c: what, and by how many us the launcher may make it slower.
CALLS = [("a call that is not trapped (getppid)", 0.1), ("open of an ordinary file", 15),
         ("statfs of the tree", 25), ("statfs of another filesystem", 25), ("fstatfs", 25),
         ("open of /proc/self/mountinfo", None), ("open of /proc/self/cgroup", None)]
TURNS = 1 if QUICK else 8
ROUNDS = 8


def run(*command, **more):
    result = subprocess.run(list(map(str, command)), text=True, capture_output=True, check=False, **more)
    if result.returncode:
        fail(f"{' '.join(map(str, command))}: {result.stderr.strip()[-500:]}")
    return result.stdout


def calls(report, directory, judged=True):
    """Single system calls: us more than native."""
    program = directory / "bench_calls"
    compile_c(program, BENCH / "bench_calls.c", "-Wall", "-Wextra")

    def measure(how, _):
        with open("/etc/passwd", "rb") as file:
            return [list(map(float, line.split()))
                    for line in run(*how, program, ROUNDS, stdin=file).splitlines()]

    turns = take_turns(TURNS, (NATIVE, LAUNCHED), measure)
    for number, (what, target) in enumerate(CALLS):
        native, launched = (quiet([line[number] for lines in turn for line in lines]) / 1000
                            for turn in turns.values())
        report.add(what, launched - native, "us more", target=target if judged else None,
                   against=f"native {native:.2f} us, launched {launched:.2f} us")


def signals(report, directory):
    """Calls that a handler ends with EINTR: by the supervisor as it is, and by one that may not be urgent."""
    program = directory / "bench_signals"
    compile_c(program, BENCH / "bench_signals.c", "-Wall", "-Wextra")
    one = ("taskset", "-c", min(os.sched_getaffinity(0)))

    def share(how, what, count):
        came, ended = map(int, run(*one, *how, program, what, 4, count).split())
        return 100 * ended / max(came, 1)

    for what, count in (("statfs", 200 if QUICK else 5000), ("table", 50 if QUICK else 1000)):
        urgent, late = (statistics.median(each) for each in take_turns(
            TURNS, (LAUNCHED, (*NOT_URGENT, *LAUNCHED)), lambda how, _: share(how, what, count)).values())
        report.add(f"of the signals end a {what}", urgent, "%", ratio=urgent / late if late else None,
                   target=0.5, against=f"one that is late ({late:.2f} %)")


def seconds(command, ways=(NATIVE, LAUNCHED), prepare=lambda: None):
    """{how: its runs} in turns, and one by strace."""

    def measure(how, turn):
        if how is STRACED and (turn or not shutil.which("strace")):
            return None
        prepare()
        start = time.monotonic()
        run(*how, *command.words)
        return time.monotonic() - start

    turns = take_turns(command.turns, (*ways, STRACED), measure)
    return {how: times for how, times in turns.items() if times}


class Command:
    """A command that takes long enough to be timed as a whole, and how often."""

    def __init__(self, turns, *words):
        self.turns = 1 if QUICK else turns
        self.words = words


NAMES = {LAUNCHED: "launched", FLOOR: "the floor", STRACED: "strace -f"}


def compare(report, what, times, target):
    native = times.pop(NATIVE)
    if STRACED not in times:
        print(f"  {what}: no strace here to compare with")
    for how, runs in times.items():
        ratios = sorted(each / beside for each, beside in zip(runs, native))
        report.add(f"{what}, {NAMES[how]}", statistics.median(runs), "s",
                   ratio=statistics.median(ratios), target=target if how is LAUNCHED else None,
                   against=f"native ({statistics.median(native):.2f}): "
                           f"{ratios[0]:.2f} to {ratios[-1]:.2f}")


def builds(report, directory):
    """A build of this project, and with every processor busy."""
    build = directory / "build"
    goal = build / ("obj/base/number.o" if QUICK else "fuse_cgroupfs")
    words = ("make", "-C", ROOT, "--no-print-directory", f"BUILD={build}", goal)

    for turns, options in ((7, ()), (9, (f"-j{os.cpu_count()}",))):
        command = Command(turns, *words, *options)
        times = seconds(command, (NATIVE, LAUNCHED, FLOOR),
                        lambda: shutil.rmtree(build, ignore_errors=True))
        compare(report, " ".join(("make", *options)), times, 1.05)


def java(report, _):
    """A start of the JVM."""
    if not shutil.which("java"):
        print("  no java here: left out")
        return
    compare(report, "java -version", seconds(Command(8, "java", "-version")), None)


def measure_all(report):
    if not os.path.exists(RUN):
        fail(f"there is no {RUN}: run make first, or set FUSE_CGROUP_RUN")
    with tempfile.TemporaryDirectory(prefix="fcg-bench-") as directory:
        for section in (calls, signals, java, builds):
            print(f"\n{section.__doc__}", flush=True)
            section(report, pathlib.Path(directory))


if __name__ == "__main__":
    sys.exit(bench(__doc__, measure_all))
