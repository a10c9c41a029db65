# SPDX-License-Identifier: MIT
"""What a removed cgroup leaves to its parent; also held against the kernel's own tree."""

import os

import pytest

from files import fields, read, write
import mounting
from processes import Helper

MIB = 1 << 20

HOLDER = """
import sys
kept = []
for line in sys.stdin:
    if line == "release\\n":
        kept.clear()
    else:
        kept.append(b"m" * (int(line) << 20))
    print("done")
"""


def holder_in(cgroup):
    """A holder in the cgroup, with what an interpreter takes for itself held where it was before."""
    helper = Helper(HOLDER)
    assert helper.ask("0") == "done"
    write(cgroup / "cgroup.procs", str(helper.pid))
    return helper


def holds(path, local, total):
    """True when memory.stat's rss of the cgroup itself, and of all below, is about this, in MiB."""
    stat = fields(path / "memory.stat")
    return all(abs(stat[name] - MIB * wanted) < 5 * MIB
               for name, wanted in (("rss", local), ("total_rss", total)))


def test_memory_of_a_removed_cgroup(mount):
    """It is in the parent's total as long as the process has it, and never in the parent's own."""
    top = mount / "memory" / "top"
    below = top / "below"
    below.mkdir(parents=True)
    with holder_in(below) as helper:
        assert helper.ask("30") == "done"
        assert mounting.wait_until(lambda: holds(below, 30, 30)
                                   and holds(top, 0, 30)), read(below / "memory.stat")
        write(top / "cgroup.procs", str(helper.pid))
        os.rmdir(below)
        assert helper.ask("20") == "done"
        assert mounting.wait_until(lambda: holds(top, 20, 50)), read(top / "memory.stat")
        assert helper.ask("release") == "done"
        assert mounting.wait_until(lambda: holds(top, 0, 0)), read(top / "memory.stat")
    os.rmdir(top)


@pytest.mark.daemon
def test_memory_of_a_removed_cgroup_after_a_restart(directory, tmp_path):
    top = directory / "memory" / "top"
    options = ("-o", f"state={tmp_path / 'state'}")
    daemon = mounting.Daemon(directory, *options)
    (top / "below").mkdir(parents=True)
    with holder_in(top / "below") as helper:
        assert helper.ask("30") == "done"
        assert mounting.wait_until(lambda: holds(top, 0, 30))
        write(top / "cgroup.procs", str(helper.pid))
        os.rmdir(top / "below")
        assert holds(top, 0, 30)
        daemon.process.kill()
        daemon.process.communicate()
        daemon = mounting.Daemon(directory, *options)
        assert holds(top, 0, 30)
    assert daemon.stop() == (0, "")
