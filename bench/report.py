# SPDX-License-Identifier: MIT
"""What the benchmarks share: their options, a table of figures, and runs in turns."""

import argparse
import json
import os
import time


# BENCH_QUICK=1: all of it runs, with too few rounds for figures to be judged.
QUICK = bool(os.environ.get("BENCH_QUICK"))


def quiet(values):
    """The ns of one operation while nothing else wanted the machine: the rounds' first decile."""
    return sorted(values)[len(values) // 10]


def take_turns(count, ways, work):
    """{way: [what work(way, turn) gave]}, without None; what else the machine does hits all alike."""
    found = {way: [] for way in ways}
    for turn in range(count):
        for way, given in found.items():
            given.append(work(way, turn))
    return {way: [each for each in given if each is not None] for way, given in found.items()}


class Report:
    """The lines of the table."""

    def __init__(self):
        self.rows = []

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
        self.rows.append(row)
        print(f"{text}{verdict:<16}{against}".rstrip())

    def missed(self):
        return [row for row in self.rows if row.get("pass") is False]


def describe():
    """What the figures were measured on."""
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        model = next((line.split(":", 1)[1].strip() for line in cpuinfo
                      if line.startswith("model name")), "unknown")
    return {"kernel": os.uname().release, "machine": os.uname().machine, "model": model,
            "cpus": len(os.sched_getaffinity(0)), "load": round(os.getloadavg()[0], 2)}


def parse_arguments(document):
    parser = argparse.ArgumentParser(description=document.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the figures here too")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    return parser.parse_args()


def bench(document, measure):
    """A benchmark: measure(report), with the options of the command line. Its exit status."""
    arguments = parse_arguments(document)
    report, machine, start = Report(), describe(), time.monotonic()
    print(" ".join(f"{key}: {value}" for key, value in machine.items()), flush=True)
    measure(report)
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
