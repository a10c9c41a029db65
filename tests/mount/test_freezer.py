# SPDX-License-Identifier: MIT
"""Frozen cgroups stand still, and go on where they stopped."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from files import pids, read, write
from mounting import in_gvisor, wait_until
from processes import Chain, Helper, state_of

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


def in_kernel(path):
    """With --kernel nobody is told of a stop, as there is none."""
    return path.parent.name.startswith("fcg-test-")


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


# Waits, as after vfork(2), for a child that neither execs nor ends.
VFORKS = """
import ctypes, os, platform, signal
clone = 56 if platform.machine() == "x86_64" else 220
input()
if not ctypes.CDLL(None).syscall(clone, 0x4000 | signal.SIGCHLD, 0, 0, 0, 0): # CLONE_VFORK
    print(os.getpid(), flush=True)
    signal.pause()
print("on", flush=True)
"""


if not in_gvisor():  # where /proc does not tell what a task waits for
    def test_one_that_has_vforked(top):
        """It cannot stop before its child goes on, and is frozen all the same: wait_for_vfork_done()."""
        with Helper(VFORKS) as helper:
            join(top, helper.pid)
            child = int(helper.ask())
            freeze(top)
            thaw(top)
            os.kill(child, signal.SIGKILL)
            assert helper.process.stdout.readline() == "on\n"


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


@pytest.mark.daemon
def test_looked_at_while_it_is_let_go(top, counter):
    """A look that found it freezing leaves nobody stopped whom others let go meanwhile."""
    join(top, counter.child)
    looks = [subprocess.Popen(["sh", "-c", f"while read state <{top}/freezer.state; do :; done"])
             for _ in range(3)]
    try:
        for _ in range(100):
            write(top / "freezer.state", "FROZEN")
            assert wait_until(lambda: state_of(counter.child) == "T")
            write(top / "freezer.state", "THAWED")
            assert wait_until(lambda: state_of(counter.child) != "T")
    finally:
        for look in looks:
            look.kill()
            look.wait()


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


# --- those who stop themselves when their child is stopped ---

ROUNDS = 8
PLACES = {  # of the oldest, its child and its grandchild
    "all": ("", "", ""),
    "in another each": ("", "a", "a/b"),
    "the other way round": ("a/b", "a", ""),
    "the child alone": (None, None, ""),
    "without the oldest": (None, "", ""),
    "without the one between": ("", None, "a"),
}


def place(top, chain, places):
    (top / "a" / "b").mkdir(parents=True)
    for pid, below in zip(chain.pids, places):
        if below is not None:
            join(top / below, pid)


def all_go_on(chain):
    """Nobody is left stopped, and nobody stops himself a moment later."""
    return wait_until(lambda: "T" not in chain.states()) and \
        (time.sleep(0.01) or "T" not in chain.states())


@pytest.mark.parametrize("rest", [0, 0.03], ids=["at once", "later"])
@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_nobody_stays_stopped(top, places, rest):
    """Whoever waits for its child with WUNTRACED must not find it stopped, or is let go after it."""
    with Chain() as chain:
        place(top, chain, places)
        for number in range(ROUNDS):
            write(top / "freezer.state", "FROZEN")
            time.sleep(rest)
            thaw(top)
            assert all_go_on(chain), (number, chain.states())


# Counts how often it is told that its child, or its grandchild's parent, has stopped.
COUNTS = """
import os, signal, sys
def count(child):
    stops = 0
    while True:
        _, status = os.waitpid(child, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            return stops
        stops += 1
middle = os.fork()
if not middle:
    child = os.fork()
    if not child:
        signal.pause()
    print(os.getpid(), child, flush=True)
    print(count(child), flush=True)
    os._exit(0)
print(count(middle))
"""


def test_members_hear_of_no_stop(top):
    """As they stand before it, and go on after it: a shell in the cgroup does not take its terminal back."""
    (top / "a").mkdir()
    with Helper(COUNTS) as helper:
        middle, child = map(int, helper.process.stdout.readline().split())
        for pid, path in ((helper.pid, top), (middle, top / "a"), (child, top)):
            join(path, pid)
        for number in range(40):
            write(top / "freezer.state", "FROZEN")
            time.sleep(0.003 * (number % 2))
            thaw(top)
        time.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        assert helper.process.stdout.read().split() == ["0", "0"]


@pytest.mark.parametrize("command", ["su", "runuser", "nsenter"])
def test_programs_that_stop_with_their_child(top, command):
    commands = {"su": ["su", "-s", "/bin/sh", "nobody", "-c"],
                "runuser": ["runuser", "-u", "nobody", "--", "sh", "-c"],
                "nsenter": ["nsenter", "-t", str(os.getpid()), "-p", "sh", "-c"]}
    if not shutil.which(command):
        pytest.skip(f"there is no {command}")
    parent = subprocess.Popen([*commands[command], "read line; true"], stdin=subprocess.PIPE,
                              preexec_fn=lambda: join(top, os.getpid()))
    try:
        assert wait_until(lambda: len(pids(top / "cgroup.procs")) == 2)
        for number in range(ROUNDS):
            write(top / "freezer.state", "FROZEN")
            time.sleep(0.01)
            thaw(top)
            assert wait_until(lambda: state_of(parent.pid) != "T"), number
            time.sleep(0.01)
            assert state_of(parent.pid) != "T", number
    finally:
        for pid in (*pids(top / "cgroup.procs"), parent.pid):
            os.kill(pid, signal.SIGKILL)
        parent.stdin.close()
        parent.wait()


def test_parent_that_comes_later(top):
    """It has stopped itself before it is attached, for our stop: it is ours to let go."""
    with Chain() as chain:
        join(top, chain.pids[2])
        freeze(top)
        join(top, chain.pids[1])
        freeze(top)
        thaw(top)
        assert all_go_on(chain)


def test_child_leaves_what_is_frozen(top):
    with Chain() as chain:
        join(top, chain.pids[2])
        freeze(top)
        if not in_kernel(top):
            assert wait_until(lambda: chain.states() == "TTT")
        join(top.parent, chain.pids[2])
        assert all_go_on(chain)


def test_another_child_is_stopped_still(top):
    """Who was told of two stops goes on with the second."""
    (top / "a").mkdir()
    with Chain() as chain:
        join(top / "a", chain.pids[2])
        join(top, chain.pids[1])
        freeze(top / "a")
        freeze(top)
        thaw(top)
        assert wait_until(lambda: state(top / "a") == "FROZEN")  # it has set its child going
        thaw(top / "a")
        assert all_go_on(chain)


@pytest.mark.daemon
def test_parent_stopped_by_someone_else(top):
    """It did not stop for us, and stays so."""
    with Chain() as chain:
        place(top, chain, PLACES["the child alone"])
        os.kill(chain.pids[1], signal.SIGSTOP)
        assert wait_until(lambda: chain.states() == "TTS")
        freeze(top)
        thaw(top)
        assert wait_until(lambda: chain.states() == "TTS")
        time.sleep(0.05)
        assert chain.states() == "TTS"


@pytest.mark.daemon
def test_parents_go_on_when_the_daemon_ends(start):
    mount = start()
    (mount / "freezer" / "a").mkdir()
    with Chain() as chain:
        join(mount / "freezer" / "a", chain.pids[2])
        freeze(mount / "freezer" / "a")
        assert wait_until(lambda: chain.states() == "TTT")
        assert mount.stop() == (0, "")
        assert all_go_on(chain)


@pytest.mark.daemon
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_parents_go_on_with_the_next_daemon(start, tmp_path, end):
    """With a state directory THAWED lets go whoever stopped for the daemon before."""
    mount = start("-o", f"state={tmp_path / 'state'}")
    (mount / "freezer" / "a").mkdir()
    with Chain() as chain:
        join(mount / "freezer" / "a", chain.pids[2])
        freeze(mount / "freezer" / "a")
        assert wait_until(lambda: chain.states() == "TTT")
        if end == signal.SIGKILL:
            mount.process.kill()
            mount.wait()
            subprocess.run(["umount", "-l", mount.path], check=True)
        else:
            assert mount.stop(end) == (0, "")
        assert chain.states() == "TTT"
        mount = start("-o", f"state={tmp_path / 'state'}")
        thaw(mount / "freezer" / "a")
        assert all_go_on(chain)


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
