# SPDX-License-Identifier: MIT
"""Membership follows fork, and ends with exit: in both sources, and in the kernel's own tree."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from files import pids, read, write
import mounting
from mounting import wait_until
import processes
from processes import Helper

SOURCES = ["scan"] if mounting.in_gvisor() else ["events", "scan"]  # gVisor tells of no events


@pytest.fixture(params=SOURCES)
def mount(request, directory):
    """A tree for each source of forks and exits; the kernel has one."""
    if request.config.getoption("kernel"):
        if request.param != SOURCES[0]:
            pytest.skip("the kernel has one source")
        kernel = mounting.Kernel(directory)
        yield kernel
        kernel.leave()
        return
    start = request.getfixturevalue("start")
    yield start("-o", f"accounting={request.param}")


def make(tree, hierarchy, name):
    path = tree / hierarchy / name
    path.mkdir()
    return path


def shell(script, *cgroups, group=None):
    """A shell that joins the cgroups before it runs the script; in a session of its own, or in the process
    group."""
    joining = "".join(f"echo $$ > {path}/cgroup.procs; " for path in cgroups)
    return subprocess.Popen(["/bin/bash", "-c", joining + script], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            start_new_session=group is None, process_group=group)


def end(process):
    process.stdin.close()
    process.stdout.close()
    process.wait()


HOG = """
import mmap, sys
memory = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.write(bytes(64 << 20))
if sys.argv[1] == "frees":
    memory.close()
    print("freed", flush=True)
    sys.stdin.readline()
"""
FIRST_NAMESPACE = "pid:[4026531836]" # PROC_PID_INIT_INO; in others nobody is told of exits (taskstats)

if not mounting.in_gvisor():  # which keeps no high-water mark
    @pytest.mark.parametrize("does",
                             ["frees", "ends"][:1 + (os.readlink("/proc/self/ns/pid") == FIRST_NAMESPACE)])
    @pytest.mark.parametrize("mount", ["events"], indirect=True)
    def test_peak_that_nobody_read(mount, does):
        a = make(mount, "memory", "a")
        process = shell(f"exec {sys.executable} -c '{HOG}' {does}", a)
        if does == "frees":
            assert process.stdout.readline() == "freed\n"
        else:
            assert process.wait() == 0
        peak = int(read(a / "memory.max_usage_in_bytes"))
        assert 64 << 20 <= peak < 96 << 20 # and Python itself
        end(process)
        assert wait_until(lambda: pids(a / "cgroup.procs") == [])
        a.rmdir()


@pytest.mark.parametrize("apart", [False, True])
def test_orphan_of_one_that_ended_at_once(mount, apart):
    """Where processes are counted too: who has ended makes room for it, but is who made it. A stranger leads
    its process group, or it does itself."""
    a = make(mount, "pids", "a")
    with subprocess.Popen(["sleep", "1000"], process_group=0) as stranger:
        process = subprocess.Popen(["/bin/sh", "-c", "read x; sleep 1000 >/dev/null 2>&1 & echo $!"],
                                   text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   process_group=0 if apart else stranger.pid)
        write(a / "cgroup.procs", str(process.pid))
        said, _ = process.communicate("go\n")
        try:
            assert wait_until(lambda: pids(a / "cgroup.procs") == [int(said)])
            assert read(a / "pids.peak") == "2\n"
        finally:
            os.kill(int(said), signal.SIGKILL)
            stranger.kill()
    assert wait_until(lambda: pids(a / "cgroup.procs") == [])


def kill_all(path):
    for pid in pids(path / "cgroup.procs"):
        with contextlib.suppress(ProcessLookupError):  # it has ended with those before it
            os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not pids(path / "cgroup.procs"))


def test_children_start_with_their_parent(mount):
    a, b = make(mount, "cpuacct", "a"), make(mount, "memory", "b")
    process = shell("sleep 100 & echo $!; (sleep 100 & echo $!; wait) & wait", a, b)
    children = {int(process.stdout.readline()) for _ in range(2)}
    for path in (a, b):
        assert len(pids(path / "cgroup.procs")) == 4
        assert set(pids(path / "cgroup.procs")) > children | {process.pid}
    root = pids(a.parent / "cgroup.procs")
    assert not children & set(root)
    kill_all(a)
    end(process)
    os.rmdir(a)
    os.rmdir(b)


def test_moving_a_child_leaves_the_parent(mount):
    a, b = make(mount, "cpuacct", "a"), make(mount, "cpuacct", "b")
    process = shell("sleep 100 & echo $!; read", a)
    child = int(process.stdout.readline())
    write(b / "cgroup.procs", str(child))
    assert pids(a / "cgroup.procs") == [process.pid]
    assert pids(b / "cgroup.procs") == [child]
    kill_all(b)
    end(process)


def test_a_child_forked_before_stays(mount):
    a = make(mount, "cpuacct", "a")
    process = shell("sleep 100 & echo $!; echo $$ > $0/cgroup.procs; sleep 100 & echo $!; wait".replace(
        "$0", str(a)))
    before, after = (int(process.stdout.readline()) for _ in range(2))
    members = sorted([process.pid, after])
    assert pids(a / "cgroup.procs") == members
    os.kill(before, signal.SIGKILL)
    kill_all(a)
    end(process)


def test_exit_is_seen_at_once(mount):
    """rmdir works as soon as the parent has waited for the last member."""
    for i in range(20):
        path = make(mount, "pids", f"a{i}")
        end(shell("/bin/true; true", path))
        assert pids(path / "cgroup.procs") == []
        assert read(path / "pids.current") == "0\n"
        os.rmdir(path)


def test_a_listing_knows_the_reader(mount):
    """cat is in the list that it prints: forked a moment ago."""
    a = make(mount, "cpu", "a")
    process = shell("cat {0}/cgroup.procs; cat {0}/tasks; true".format(a), a)
    out = process.communicate()[0].split()
    assert len(out) == 4
    assert str(process.pid) in out


def test_zombies_are_counted_and_not_listed(mount):
    a = make(mount, "pids", "a")
    with Helper("import os, sys\nfor line in sys.stdin:\n"
                " pid = os.fork()\n if not pid: os._exit(0)\n"
                " os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)\n print(pid)\n") as helper:
        write(a / "cgroup.procs", str(helper.pid))
        zombie = int(helper.ask("go"))
        assert pids(a / "cgroup.procs") == [helper.pid]
        assert read(a / "pids.current") == "2\n"
        assert zombie not in pids(a.parent / "cgroup.procs")
    assert read(a / "pids.current") in ("0\n", "1\n")  # the zombie's new parent may not have waited


def test_threads(mount):
    a, b = make(mount, "cpuacct", "a"), make(mount, "cpuacct", "b")
    with Helper("import sys, threading, time, os\n"
                "def start():\n"
                " s = threading.Semaphore(0)\n"
                " t = threading.Thread(target=lambda: (s.release(), time.sleep(99)), daemon=True)\n"
                " t.start(); s.acquire(); return t.native_id\n"
                "for line in sys.stdin: print(start())\n") as helper:
        write(a / "cgroup.procs", str(helper.pid))
        first = int(helper.ask("go"))
        assert pids(a / "tasks") == sorted([helper.pid, first])
        write(b / "tasks", str(first))
        assert pids(a / "tasks") == [helper.pid]
        assert pids(b / "tasks") == [first]
        assert pids(b / "cgroup.procs") == [helper.pid]
        second = int(helper.ask("go"))
        assert pids(a / "tasks") == sorted([helper.pid, second])


# gVisor's /proc does not tell who has waited for a child.
LEADERS = [True] if mounting.in_gvisor() else [True, False]


@pytest.mark.parametrize("leader", LEADERS)
def test_double_fork(mount, leader):
    """An orphan stays where it was born, also in a process group that strangers are in and lead."""
    a = make(mount, "cpuacct", "a")
    with Helper("import os; os.setpgid(0, 0); input(); print(); input()") as stranger:
        stranger.ask()
        # What is substituted is there when all who might write it have ended.
        process = shell("echo $( ( (sleep 100 > /dev/null & echo $!) & ) ); read", a,
                        group=None if leader else stranger.pid)
        orphan = int(process.stdout.readline())
        assert wait_until(lambda: pids(a / "cgroup.procs") == sorted([process.pid, orphan]))
        end(process)
        assert pids(a / "cgroup.procs") == [orphan]
        kill_all(a)


DAEMONS = """
import os, sys, time
for _ in sys.stdin:
    if not os.fork():
        os.setsid()
        daemon = os.fork()
        if not daemon:
            time.sleep(1000)
        print(daemon)
        os._exit(0)
    os.wait()
"""


# its /proc has no address of the stack, which tells what a daemon was forked from
if not mounting.in_gvisor():

    def test_daemons(mount):
        """A process that has left its parent, its process group and its session stays where it was born."""
        a = make(mount, "cpuacct", "a")
        with Helper(DAEMONS) as helper:
            write(a / "cgroup.procs", str(helper.pid))
            members = sorted([helper.pid, *(int(helper.ask()) for _ in range(10))])
            assert wait_until(lambda: pids(a / "cgroup.procs") == members)
            kill_all(a)


def test_orphans_of_others(mount):
    """Who is orphaned by a stranger, the leader of a member's process group, is no member."""
    a = make(mount, "cpuacct", "a")
    with Helper("import os; os.setpgid(0, 0)" + DAEMONS.replace("os.setsid()", "pass")) as helper:
        orphans = [int(helper.ask())]
        process = shell("echo; read", a, group=os.getpgid(helper.pid))
        process.stdout.readline()
        assert os.getpgid(process.pid) == helper.pid
        orphans += [int(helper.ask()) for _ in range(10)]
        assert pids(a / "cgroup.procs") == [process.pid]
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
    end(process)


@pytest.mark.parametrize("count", [300])
def test_many_short_processes(mount, count):
    """However briefly they live, they are counted, and nobody is left over."""
    a = make(mount, "pids", "a")
    process = shell(f"for i in $(seq {count}); do /bin/true & done; wait; echo; read", a)
    process.stdout.readline()
    assert wait_until(lambda: read(a / "pids.current") == "1\n")
    assert pids(a / "cgroup.procs") == [process.pid]
    end(process)
    assert read(a / "pids.current") == "0\n"
    os.rmdir(a)


CROWDS = """
import os, sys
for _ in sys.stdin:
    crowd = [os.posix_spawn("/bin/sleep", ["sleep", "1000"], {}) for _ in range(20)]
    print(len(crowd))
    sys.stdin.readline()
    for pid in crowd:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    print(0)
"""


def test_peak_of_crowds(mount):
    """Those that have ended are none of the most that there were, whoever looked when."""
    a = make(mount, "pids", "a")
    write(a / "pids.max", "25")
    with Helper(CROWDS) as helper:
        write(a / "cgroup.procs", str(helper.pid))
        for _ in range(4):
            assert helper.ask() == "20"
            assert read(a / "pids.current") == "21\n"
            assert helper.ask() == "0"
        assert (read(a / "pids.peak"), read(a / "pids.events")) == ("21\n", "max 0\n")
        assert helper.ask() == "20"
        assert helper.ask() == "0"
        with Helper(CROWDS) as other:
            write(a / "cgroup.procs", str(other.pid))
            assert read(a / "pids.peak") == "21\n"


# On one processor, as each has a buffer of its own; by vfork and for a program that is not there, which
# costs a twentieth of Python's fork.
FORKER = """
import contextlib, os, sys
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
for line in sys.stdin:
    if line == "wait\\n":
        print(os.wait()[0])
        continue
    for _ in range(int(line)):
        with contextlib.suppress(FileNotFoundError):
            os.posix_spawn("/nowhere", ["nowhere"], {})
    print(os.posix_spawn("/bin/sleep", ["sleep", "1000"], {}))
"""


LOST = "accounting: events were lost (losses so far: "


@pytest.mark.daemon
def test_lost_events(mount):
    """More forks and exits than the kernel's buffers hold: a scan finds who is there."""
    a = make(mount, "pids", "a")
    with Helper(FORKER) as helper:
        write(a / "cgroup.procs", str(helper.pid))
        first = int(helper.ask("1"))
        os.kill(mount.pid, signal.SIGSTOP)
        try:
            second = int(helper.ask("40" if mounting.in_gvisor() else "6000"))
        finally:
            os.kill(mount.pid, signal.SIGCONT)
        members = sorted([helper.pid, first, second])
        assert pids(a / "cgroup.procs") == members
        assert read(a / "pids.current") == "3\n"
        third = int(helper.ask("10"))
        members = sorted([*members, third])
        assert pids(a / "cgroup.procs") == members
        kill_all(a)
    assert mount.stop() == (0, "")
    by_events = "accounting=events" in mount.options
    assert by_events == any(LOST in line for line in mount.log)


# By scans nobody is told of: there is no number of who came and went in between.
@pytest.mark.daemon
@pytest.mark.parametrize("mount", ["events"], indirect=True)
def test_number_of_a_lost_exit(mount):
    """Its fork was told and its end was lost: who has its number since is not it."""
    a = make(mount, "pids", "a")
    with Helper(FORKER) as helper:
        write(a / "cgroup.procs", str(helper.pid))
        os.kill(mount.pid, signal.SIGSTOP)
        try:
            first = int(helper.ask("0"))
            last = int(helper.ask("6000"))
            os.kill(first, signal.SIGKILL)
            helper.ask("wait")
            stranger = processes.take_number(first)
        finally:
            os.kill(mount.pid, signal.SIGCONT)
        try:
            assert pids(a / "cgroup.procs") == sorted([helper.pid, last])
            assert read(a / "pids.current") == "2\n"
        finally:
            processes.end(stranger)
        kill_all(a)


def burn_as_member(cgroup):
    """A process that joins as soon as it is forked, and has used 20 ms when this returns."""
    ready, told = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            write(cgroup / "cgroup.procs", "0")
            end = time.process_time() + 0.02
            while time.process_time() < end:
                pass
            os.write(told, b".")
            signal.pause()
        finally:
            os._exit(1)
    os.close(told)
    with os.fdopen(ready) as answer:
        assert answer.read(1) == "."
    return pid


@pytest.mark.daemon
@pytest.mark.events
@pytest.mark.parametrize("mount", ["events"], indirect=True)
def test_time_of_who_joins_when_nobody_is_a_member(mount):
    """The daemon has not read of his fork yet, and asks for what he used for the first time."""
    a = make(mount, "cpuacct", "a")
    for _ in range(10):
        time.sleep(0.05)  # its thread waits for news again
        before = int(read(a / "cpuacct.usage"))
        pid = burn_as_member(a)
        used = int(read(a / "cpuacct.usage")) - before
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        assert wait_until(lambda: not pids(a / "cgroup.procs"))
        assert used > 15_000_000


CLONE_PARENT = pathlib.Path(__file__).with_name("clone_parent.py")


# Not by scans: /proc tells the parent, not who forked it.
@pytest.mark.parametrize("mount", ["events"], indirect=True)
def test_clone_parent(mount):
    """A child that becomes its creator's sibling (runc's way to start a container) is its creator's."""
    a = make(mount, "cpuacct", "a")
    with Helper(CLONE_PARENT.read_text()) as helper:
        creator = int(helper.ask("start"))
        write(a / "cgroup.procs", str(creator))
        sibling = int(helper.ask("clone"))
        if not sibling:
            pytest.skip("clone(CLONE_PARENT) is not to be had")
        assert pids(a / "cgroup.procs") == sorted([creator, sibling])
        kill_all(a)


EXECS = """
import os, sys, threading
path, who = sys.argv[1:]
def join():
    with open(path, "w") as file:
        file.write(str(threading.get_native_id()))
def run():
    if who == "thread":
        join()
    print("ready", flush=True)
    sys.stdin.readline()
    os.execv("/bin/sleep", ["sleep", "100"])
if who == "leader_before":
    join()
thread = threading.Thread(target=run)
thread.start()
if who == "leader":
    join()
thread.join()
"""


@pytest.mark.parametrize("rest", [0, 0.3], ids=["at_once", "later"])
@pytest.mark.parametrize("who, stays", [("leader", False), ("leader_before", True), ("thread", True)])
def test_exec_by_a_thread(mount, who, stays, rest):
    """It takes over the leader's number, and stays in its own cgroup."""
    a = make(mount, "cpuacct", "a")
    process = subprocess.Popen(["/usr/bin/python3", "-c", EXECS, a / "tasks", who], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline()
    assert wait_until(lambda: pids(a / "tasks"))
    time.sleep(rest)
    process.stdin.write("\n")
    process.stdin.flush()
    assert wait_until(lambda: read(f"/proc/{process.pid}/comm") == "sleep\n")
    assert wait_until(lambda: pids(a / "cgroup.procs") == [process.pid] * stays)
    assert pids(a / "tasks") == [process.pid] * stays
    process.kill()
    end(process)
