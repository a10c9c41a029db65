# SPDX-License-Identifier: MIT
"""What members read and wrote is counted once, by both sources."""

import re

import pytest

from files import read, write
import mounting
from mounting import wait_until
from processes import Helper

SOURCES = ["scan"] if mounting.in_gvisor() else ["events", "scan"]  # gVisor tells of no events

# A child that writes 4 MiB, waits, and writes 4 MiB more; then what the kernel says that it wrote.
PARENT = """
import os, sys, tempfile
for _ in sys.stdin:
    pid = os.fork()
    if not pid:
        with tempfile.TemporaryFile(dir="/var/tmp") as file:
            for again in (True, False):
                os.write(file.fileno(), bytes(4 << 20))
                if again:
                    print("half")
                    sys.stdin.readline()
            os.fsync(file.fileno())
        os._exit(0)
    print(os.wait4(pid, 0)[2].ru_oublock * 512)
"""


def written(path):
    text = read(path / "blkio.throttle.io_service_bytes")
    return sum(int(number) for number in re.findall(r" Write (\d+)$", text, re.M))


@pytest.mark.parametrize("source", SOURCES)
def test_child_that_was_read(start, source):
    """Its bytes are its parent's too once that has waited for it (wait_task_zombie)."""
    mount = start("-o", f"accounting={source}")
    path = mount / "blkio" / "a"
    path.mkdir()

    with Helper(PARENT) as helper:
        write(path / "cgroup.procs", str(helper.pid))
        total = 0
        for _ in range(3):
            assert helper.ask() == "half"
            assert wait_until(lambda before=total: written(path) >= before + (4 << 20))
            total += int(helper.ask())
            assert wait_until(lambda expected=total: written(path) == expected)
    assert total >= 24 << 20


# Writes a value a thousand times, half of them by children: the kernel has it in their /proc/PID/io.
WRITER = """
import os, sys
def write(times):
    for _ in range(times):
        with open(sys.argv[1], "w") as file:
            file.write("1024")
for _ in sys.stdin:
    write(500)
    for _ in range(50):
        pid = os.fork()
        if not pid:
            write(10)
            os._exit(0)
        os.waitpid(pid, 0)
    print("written")
"""


def kernels(pid):
    """What it has written by the kernel's figure, its children too."""
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        return int(re.search(r"^write_bytes: (\d+)$", file.read(), re.M)[1])


@pytest.mark.parametrize("source", SOURCES)
def test_writes_to_our_own_files(start, source):
    """No disk has them."""
    mount = start("-o", f"accounting={source}")
    path = mount / "blkio" / "a"
    path.mkdir()
    (mount / "cpu" / "a").mkdir()
    with Helper(WRITER, mount / "cpu" / "a" / "cpu.shares") as helper:
        write(path / "cgroup.procs", str(helper.pid))
        others = kernels(helper.pid)
        for _ in range(3):
            assert helper.ask() == "written"
            others += 1000 * len("1024")
            assert written(path) <= max(0, kernels(helper.pid) - others)
