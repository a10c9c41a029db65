# SPDX-License-Identifier: MIT
"""
Watches pytest from outside. A daemon that freezes the wrong processes may stop pytest and its time limit:
then its daemons are killed and it goes on, so that the limit can end the test. It is nobody's child, and in a
session of its own, so that it is in no cgroup that a test fills.
"""

import contextlib
import os
import pathlib
import select
import signal
import subprocess
import sys
import time

GRACE = float(os.environ.get("WATCHDOG_GRACE", "10"))  # seconds that pytest has to see the limit itself
MARK = "FUSE_CGROUP_PYTEST"  # in the environment of all that it starts


def ancestors(pid):
    while pid > 1:
        yield pid
        fields = pathlib.Path("/proc", str(pid),
                              "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        pid = int(fields[1])


def rescue(pid):
    """Kills the daemons of this pytest, and lets it and who waits for it go on."""
    mark = f"{MARK}={pid}".encode()
    for process in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if b"fuse_cgroupfs" in (process / "cmdline").read_bytes().split(b"\0")[0] and \
                    mark in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
    with contextlib.suppress(OSError):
        for each in ancestors(pid):
            os.kill(each, signal.SIGCONT)


def watch(pid):
    """Each line on standard input is a limit in seconds from now on, or 0 for none."""
    end = None
    while True:
        left = None if end is None else max(0, end - time.monotonic())
        if select.select([0], [], [], left)[0]:
            line = os.read(0, 100).decode().split()
            if not line:
                return
            seconds = float(line[-1])
            end = time.monotonic() + seconds + GRACE if seconds else None
        else:
            rescue(pid)
            end = None


class Watchdog:
    """The watching process; it ends with us."""

    def __init__(self):
        pid = str(os.getpid())
        os.environ[MARK] = pid
        process = subprocess.Popen([sys.executable, __file__, pid], stdin=subprocess.PIPE,
                                   start_new_session=True)
        process.wait()  # for the first of the two
        self.pipe = process.stdin

    def limit(self, seconds):
        os.write(self.pipe.fileno(), f"{seconds}\n".encode())


if __name__ == "__main__":
    if os.fork() == 0:  # nobody's child
        watch(int(sys.argv[1]))
