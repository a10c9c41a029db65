# SPDX-License-Identifier: MIT
"""Each message of the rooms below the daemon, which go to its log: a row each, or the test that has it."""

import os
import re
import struct
import sys

import pytest

import mounting
from mounting import wait_until

sys.path.insert(0, str(mounting.ROOT / "tests"))

import messages  # noqa: E402

pytestmark = [pytest.mark.daemon, pytest.mark.events]

ROOMS = ["src/machine", "src/core", "src/controllers", *(
    f"src/accounting/{room}" for room in ("table", "ledger", "reading", "sources", "questions"))]

FIGURES = "(, figures at exit from taskstats)?"
DENIED = "Permission denied"
# The connector tells nobody else: the first namespaces' numbers are fixed (include/linux/proc_ns.h).
IS_FIRST = [os.stat(f"/proc/self/ns/{kind}").st_ino for kind in ("pid", "user")] == [0xEFFFFFFC, 0xEFFFFFFD]
CONNECTOR = ["events from proc connector" + FIGURES] if IS_FIRST else [
    "events are not to be had: Operation not permitted", "scans of /proc"]
PERF, SOCKET = "perf_event_open", "socket"
# A name; the system calls that the daemon's kernel forbids, and what its log says then of accounting, as
# regular expressions.
LINES = [
    ("perf", [], ["events from perf task records" + FIGURES]),
    ("no_taskstats", [SOCKET], [f"no taskstats: {DENIED}", "events from perf task records"]),
    ("connector", [PERF], [f"no perf task records: {DENIED}", *CONNECTOR]),
    ("scan", [PERF, SOCKET], [f"no perf task records: {DENIED}", f"events are not to be had: {DENIED}",
                              "scans of /proc"]),
]
TRACED = ["forks and exits from the tracer", "scans of /proc"]
LOSSES = "nobody read what the tracer told, and some was lost; scanning instead"

# What is said elsewhere, by how it begins, and the test that has it.
ELSEWHERE = {
    "accounting: task %d of process %d has ended": "test_check.py::test_debug_tells_what_happens",
    "accounting: task %d of process %d was forked by": "test_check.py::test_debug_tells_what_happens",
    "attach: process or task": "test_check.py::test_debug_tells_what_happens",
    "accounting: events were lost (losses so far": "test_membership.py::test_lost_events",
    "accounting: process %d does not let its files be read":
        "test_hung_member.py::test_one_that_hangs_costs_one_thread",
    "accounting: all processes let their files be read again":
        "test_hung_member.py::test_one_that_hangs_costs_one_thread",
}
EXCUSED = {
    "accounting: cannot switch": "whoever was given the kernel's events may switch them on and off",
    "native: %s takes no %ld": "the kernel's own cgroups take what they are told, but for want of memory",
    "memory: an eventfd took no event": "it is asked before whether it has room",
    # no messages
    "scan at each question": "the name of a source, which none is asked for",
    " rbytes=": "io.stat", "%u %lu %lu": "cpuacct.usage_all", "cpu user system": "the same",
    "some avg10=": "a pressure file", "full avg10=": "the same", "domain ": "cgroup.type",
    **dict.fromkeys(("Invalid cpu list", "Parent is ", "Cpu list in", "Parent unable", "cpuset.cpus and",
                     "Enable partition", "Have remote"), "cpuset.cpus.partition, in the kernel's words"),
}

# Runs a program for which calls fail with EACCES: a seccomp filter of their numbers (seccomp(2)).
FORBID = f"""
import ctypes, errno, os, platform, struct, sys
numbers = {{"x86_64": {{"{PERF}": 298, "{SOCKET}": 41}}, "aarch64": {{"{PERF}": 241, "{SOCKET}": 198}}}}
code = [(0x20, 0, 0, 0)]  # the call's number
for name in filter(None, sys.argv[1].split(",")):
    code += [(0x15, 0, 1, numbers[platform.machine()][name]), (0x06, 0, 0, 0x00050000 | errno.EACCES)]
code.append((0x06, 0, 0, 0x7fff0000))  # all others are permitted
filter = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
program = struct.pack("HP", len(code), ctypes.addressof(filter))
if ctypes.CDLL(None).prctl(22, 2, program, 0, 0):
    sys.exit("no seccomp filter")
os.execv(sys.argv[2], sys.argv[2:])
"""


def without(calls):
    return [sys.executable, "-c", FORBID, ",".join(calls)]


def accounting_lines(log):
    """What it says of accounting, but of processes that hang: other tests may have some."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return [line.split("]: accounting: ", 1)[1] for line in lines
            if "]: accounting: " in line and "let their files be read" not in line
            and "let its files be read" not in line]


@pytest.mark.parametrize("calls, expected", [pytest.param(*row[1:], id=row[0]) for row in LINES])
def test_line(tmp_path, directory, calls, expected):
    log = tmp_path / "log"
    daemon = mounting.Daemon(directory, "-o", f"debug,log={log}", wrapper=without(calls))
    assert daemon.stop() == (0, "")
    said = accounting_lines(log)
    assert len(said) == len(expected) and all(map(re.fullmatch, expected, said)), said


def test_events_that_are_not_to_be_had(directory):
    result = mounting.run("-f", "-o", "accounting=events", directory, wrapper=without([PERF, SOCKET]))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "fuse_cgroupfs: -o accounting=events: Permission denied: it needs CAP_PERFMON, " \
                            "or CAP_NET_ADMIN in the first pid namespace; accounting=scan does without\n"


def test_tracer(tmp_path, directory, spawn):
    """What it tells of losses is told with the next question (include/task_news.h: kind, tracer, ...)."""
    log = tmp_path / "log"
    news = struct.pack("=IiiiiiQIIQQQQQQQ", *[0] * 16)
    news_pipe, told = os.pipe()
    with open(news_pipe, "rb") as news_pipe, open(told, "wb", buffering=0) as told:
        daemon = mounting.Daemon(directory, "-o", f"accounting=tracer,log={log}", stdin=news_pipe)
        procs = daemon / "pids" / "a" / "cgroup.procs"
        procs.parent.mkdir()
        procs.write_text(str(spawn()))
        assert accounting_lines(log) == TRACED
        told.write(news)
        assert wait_until(lambda: procs.read_text() and accounting_lines(log) == [*TRACED, LOSSES])
        assert daemon.stop() == (0, "")


def test_every_message_has_a_row():
    rows = [f"accounting: {line}" for line in
            [*(line for row in LINES for line in row[-1]), *TRACED, LOSSES]]
    assert messages.not_said(ROOMS, rows, [*ELSEWHERE, *EXCUSED]) == []


def test_what_is_elsewhere_is_there():
    assert messages.not_there(ELSEWHERE, "tests/mount") == []
