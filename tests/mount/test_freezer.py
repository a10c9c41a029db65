"""Frozen cgroups stand still, and go on where they stopped."""

import contextlib
import os
import pathlib
import signal
import time

import pytest

from files import pids, read, write
from mounting import in_gvisor, wait_until
from processes import Helper

# Counts as fast as it can, in a file of its own; forks another of its kind when it is told to.
COUNTER = """
import mmap, os, signal, sys
count = mmap.mmap(-1, 8)
def run():
    n = 0
    while True:
        n += 1
        count[:8] = n.to_bytes(8, "little")
child = os.fork()
if not child:
    run()
print(child)
for line in sys.stdin:
    print(int.from_bytes(count[:8], "little"))
os.kill(child, signal.SIGKILL)
"""


class Counter(Helper):
    """A process that works: `child`, and the one that tells how far it has come."""

    def __init__(self):
        super().__init__(COUNTER)
        self.child = int(self.process.stdout.readline())

    def works(self):
        first = int(self.ask())
        return wait_until(lambda: int(self.ask()) > first)

    def stands(self):
        first = int(self.ask())
        time.sleep(0.05)
        return int(self.ask()) == first

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child, signal.SIGCONT)
            os.kill(self.child, signal.SIGKILL)
        super().__exit__()


@pytest.fixture
def counter():
    with Counter() as it:
        yield it


@pytest.fixture
def top(mount):
    path = mount / "freezer" / "top"
    path.mkdir()
    yield path
    write(path / "freezer.state", "THAWED")


def state(path):
    return read(path / "freezer.state").strip()


def freeze(path):
    write(path / "freezer.state", "FROZEN")
    assert wait_until(lambda: state(path) == "FROZEN")


def thaw(path):
    write(path / "freezer.state", "THAWED")
    assert state(path) == "THAWED"


def join(path, pid):
    write(path / "cgroup.procs", str(pid))


def test_freeze_and_thaw(top, counter):
    join(top, counter.child)
    assert counter.works()
    freeze(top)
    assert counter.stands()
    thaw(top)
    assert counter.works()


def test_descendants(top, counter):
    (top / "a").mkdir()
    (top / "a" / "b").mkdir()
    join(top / "a" / "b", counter.child)
    freeze(top)
    assert counter.stands()
    assert state(top / "a" / "b") == "FROZEN"
    write(top / "a" / "b" / "freezer.state", "THAWED")  # its ancestor is still frozen
    assert state(top / "a" / "b") == "FROZEN"
    assert counter.stands()
    thaw(top)
    assert counter.works()


def test_own_freeze_outlives_the_parents(top, counter):
    (top / "a").mkdir()
    join(top / "a", counter.child)
    freeze(top / "a")
    freeze(top)
    thaw(top)
    assert state(top / "a") == "FROZEN"
    assert counter.stands()
    thaw(top / "a")
    assert counter.works()


def test_attached_while_frozen(top, counter):
    freeze(top)
    join(top, counter.child)
    assert wait_until(lambda: state(top) == "FROZEN")
    assert counter.stands()
    join(top.parent, counter.child)
    assert counter.works()


def test_removed_from_frozen(top, counter):
    """Leaving a frozen cgroup for one that is not sets going."""
    (top / "a").mkdir()
    join(top / "a", counter.child)
    freeze(top / "a")
    join(top, counter.child)
    assert counter.works()
    assert state(top / "a") == "FROZEN"


def test_made_below_frozen(top, counter):
    freeze(top)
    (top / "late").mkdir()
    assert state(top / "late") == "FROZEN"
    assert read(top / "late" / "freezer.parent_freezing") == "1\n"
    join(top / "late", counter.child)
    assert wait_until(lambda: state(top) == "FROZEN")
    assert counter.stands()


# Each child leaves an orphan that works.
FORKING = """
import os, signal, sys, time
print("ready")
sys.stdin.readline()
while True:
    child = os.fork()
    if not child:
        if os.fork():
            os._exit(0)
        signal.alarm(60)  # one that is lost ends too
        while True:
            pass
    os.waitpid(child, 0)
    time.sleep(0.003)
"""


def test_forking_while_it_freezes(top):
    """Whoever is forked in the meantime stands still as well."""
    with Helper(FORKING) as helper:
        helper.process.stdout.readline()
        join(top, helper.pid)
        helper.process.stdin.write("\n")
        helper.process.stdin.flush()
        assert wait_until(lambda: len(pids(top / "cgroup.procs")) > 5)
        freeze(top)
        members = pids(top / "cgroup.procs")
        try:
            used = read_run(members)
            time.sleep(0.1)
            assert pids(top / "cgroup.procs") == members
            assert read_run(members) == used
        finally:  # also when it failed: they would fork for ever
            for pid in members:
                os.kill(pid, signal.SIGKILL)
            thaw(top)
        assert wait_until(lambda: not pids(top / "cgroup.procs"))


def read_run(members):
    """Processor time of each process: in ns, or in ticks of 10 ms where there is no schedstat (gVisor)."""
    if in_gvisor():
        return [read(f"/proc/{pid}/stat").split()[13:15] for pid in members]
    return [read(f"/proc/{pid}/schedstat").split()[0] for pid in members]


@pytest.mark.daemon
def test_stopped_by_someone_else(top, counter):
    """A process that was stopped before is not ours to continue."""
    join(top, counter.child)
    os.kill(counter.child, signal.SIGSTOP)
    assert wait_until(lambda: read(f"/proc/{counter.child}/stat").rpartition(") ")[2][0] == "T")
    freeze(top)
    thaw(top)
    assert counter.stands()
    os.kill(counter.child, signal.SIGCONT)
    assert counter.works()


def test_continued_by_someone_else(top, counter):
    """SIGCONT is no way out: who asks whether all is frozen finds it so, or has it stopped anew."""
    below = top / "below"
    below.mkdir()
    join(below, counter.child)
    freeze(top)
    for path in (top, below):
        os.kill(counter.child, signal.SIGCONT)
        assert wait_until(lambda: state(path) == "FROZEN" and counter.stands())
    os.kill(counter.child, signal.SIGCONT)
    freeze(top)
    assert counter.stands()
    thaw(top)
    assert counter.works()


@pytest.mark.daemon
def test_end_of_the_daemon(start, counter):
    """Nobody stays stopped when there is no one left to thaw them."""
    mount = start()
    (mount / "freezer" / "a").mkdir()
    join(mount / "freezer" / "a", counter.child)
    freeze(mount / "freezer" / "a")
    assert counter.stands()
    assert mount.stop() == (0, "")
    assert counter.works()
