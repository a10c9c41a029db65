# SPDX-License-Identifier: MIT
"""What the daemon does in a sandbox while nobody asks it anything."""

import os
import subprocess
import time

import mounting
from mounting import wait_until


def newest():
    """The number that a new process gets: each scan takes one, to know what there is."""
    pid = os.fork()
    if not pid:
        os._exit(0)  # pylint: disable=protected-access
    os.waitpid(pid, 0)
    return pid


def scans_in_a_second():
    before = newest()
    time.sleep(1)
    return newest() - before - 1


def test_daemon_rests_with_its_members():
    """Though ticks are all that tells whether one has run."""
    with mounting.mount_point() as path:
        daemon = mounting.Daemon(path)
        members = [subprocess.Popen(["sleep", "1000"]) for _ in range(3)]  # pylint: disable=R1732
        try:
            for name, member in zip("abc", members):
                (path / "cpuacct" / name).mkdir()
                (path / "cpuacct" / name / "cgroup.procs").write_text(f"{member.pid}")
            assert wait_until(lambda: scans_in_a_second() <= 3)
        finally:
            for member in members:
                member.kill()
                member.wait()
            assert daemon.stop() == (0, "")
