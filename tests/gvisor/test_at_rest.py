# SPDX-License-Identifier: MIT
"""What the daemon does in a sandbox while nobody asks it anything."""

import contextlib
import os
import subprocess
import time

import pytest

import forks
import launcher
import mounting
from mounting import newest, wait_until


def scans_in_a_second():
    before = newest()
    time.sleep(1)
    return newest() - before - 1


@contextlib.contextmanager
def at_rest():
    """A tree with three members that sleep, and a daemon that rests."""
    with mounting.mount_point() as path:
        daemon = mounting.Daemon(path)
        members = [subprocess.Popen(["sleep", "1000"]) for _ in range(3)]  # pylint: disable=R1732
        try:
            for name, member in zip("abc", members):
                (path / "cpuacct" / name).mkdir()
                (path / "cpuacct" / name / "cgroup.procs").write_text(f"{member.pid}")
            assert wait_until(lambda: scans_in_a_second() <= 3)
            yield path
        finally:
            for member in members:
                member.kill()
                member.wait()
            assert daemon.stop() == (0, "")


def test_daemon_rests_with_its_members():
    """Though ticks are all that tells whether one has run."""
    with at_rest():
        pass


READS = 10


def scans_of_reads(file):
    before = newest()
    for _ in range(READS):
        fd = os.open(file, os.O_RDONLY)
        assert os.read(fd, 4096)
        os.close(fd)
        time.sleep(0.02)  # else it is told what was just read
    return newest() - before - 1


@pytest.mark.parametrize("file", ["cpuacct.usage", "cgroup.procs"])
def test_a_read_is_one_scan(file):
    """gVisor asks how large an open file is before it reads: that is no reason to look at processes."""
    with at_rest() as path:
        assert wait_until(lambda: scans_of_reads(path / "cpuacct/a" / file) <= READS * 1.5)


def test_a_read_below_the_launcher_is_no_scan():
    """Its tracer tells of all members. Scans go on beside, at most some twenty in a second."""
    with launcher.Inside("--v1") as program:
        assert program.call(forks.scans_of_reads, READS, READS * 0.7) <= READS * 0.7
