# SPDX-License-Identifier: MIT
"""Registrations of events beside other requests. For each the daemon looks at its caller's files and mounts;
in gVisor these tables wait for whoever waits for the daemon, which must not wait for itself."""

import select
import subprocess

import pytest

import mounting

pytestmark = pytest.mark.daemon

STATS = """
import os, sys
while True:
    for path in sys.argv[1:]:
        os.stat(path)
"""
SHARES = """
import sys
while True:
    with open(sys.argv[1], "w") as file:
        file.write("512")
"""
# Says so after the first; with thresholds that nothing reaches, so that usage is looked at too.
REGISTRATIONS = """
import ctypes, os, sys
for i in range(1 << 30):
    watched = os.open(sys.argv[1] + "/memory.usage_in_bytes", os.O_RDONLY)
    event = ctypes.CDLL(None).eventfd(0, 0)
    control = os.open(sys.argv[1] + "/cgroup.event_control", os.O_WRONLY)
    os.write(control, b"%d %d 1000G" % (event, watched))
    for fd in (control, event, watched):
        os.close(fd)
    if i == 0:
        print("some", flush=True)
"""


@pytest.fixture
def run():
    processes = []

    def run(code, *arguments):
        processes.append(subprocess.Popen(["/usr/bin/python3", "-c", code, *arguments],
                                          stdout=subprocess.PIPE))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
    for process in processes:
        process.communicate()


def test_beside_other_requests(start, tmp_path, run):
    """Three processes stat, four write, and so many register that no thread of the daemon is left."""
    daemon = start("-o", f"state={tmp_path / 'state'}")
    (daemon / "cpu" / "a").mkdir()
    cgroups = [daemon / "memory" / str(i) for i in range(8)]
    for cgroup in cgroups:
        cgroup.mkdir()
    for _ in range(3):
        run(STATS, daemon.path, *(cgroup / "memory.usage_in_bytes" for cgroup in cgroups))
    for _ in range(4):
        run(SHARES, daemon / "cpu" / "a" / "cpu.shares")
    for registering in [run(REGISTRATIONS, cgroup) for cgroup in cgroups]:
        assert select.select([registering.stdout], [], [], 2 * mounting.PATIENCE)[0], "the daemon hangs"
        assert registering.stdout.readline() == b"some\n"
