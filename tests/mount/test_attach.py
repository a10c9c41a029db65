# SPDX-License-Identifier: MIT
"""Who is in a cgroup."""

import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

from files import pids, read, write
from mounting import BINARY, HIERARCHIES, PATIENCE, wait_until
from processes import Helper, error_of, in_child

# A process that starts a thread or a child when it is told to.
PARENT = """
import os, sys, threading, time
for line in sys.stdin:
    if line == "thread\\n":
        started = threading.Semaphore(0)
        thread = threading.Thread(target=lambda: (started.release(), time.sleep(1000)), daemon=True)
        thread.start()
        started.acquire()
        print(thread.native_id)
    elif line == "fork\\n":
        print(os.posix_spawn("/bin/sleep", ["sleep", "1000"], {}))
    else:
        print("what?")
"""


# A process that starts threads all the time, each of which lives for a while.
MAKER = """
import threading, time
def live():
    time.sleep(0.01)
def make():
    while True:
        threading.Thread(target=live).start()
for i in range(3):
    threading.Thread(target=make).start()
print("begun", flush=True)
"""


@pytest.fixture
def cgroup(mount):
    """Makes cgroups; a cpuset is ready for tasks."""
    def make(hierarchy, name):
        path = mount / hierarchy / name
        path.mkdir()
        if hierarchy == "cpuset":
            for file in ("cpuset.cpus", "cpuset.mems"):
                write(path / file, read(path.parent / file))
        return path

    return make


@pytest.mark.parametrize("hierarchy", HIERARCHIES)
def test_attach(cgroup, spawn, hierarchy):
    first, second = cgroup(hierarchy, "first"), cgroup(hierarchy, "second")
    pid = spawn()
    root = first.parent / "cgroup.procs"
    write(root, str(pid))
    assert pid in pids(root)
    assert write(first / "cgroup.procs", f"{pid}\n") == len(f"{pid}\n")
    assert pids(first / "cgroup.procs") == pids(first / "tasks") == [pid]
    assert pid not in pids(root)
    write(second / "cgroup.procs", f" {pid} ")
    assert pids(first / "cgroup.procs") == []
    assert pids(second / "cgroup.procs") == [pid]
    assert error_of(os.rmdir, second) == "EBUSY"
    write(root, str(pid))
    assert pid in pids(root)
    os.rmdir(second)


@pytest.mark.daemon
@pytest.mark.parametrize("hierarchy", HIERARCHIES)
def test_everyone_is_in_the_root(mount, spawn, hierarchy):
    """Without an attach, and everyone who was there before the daemon."""
    assert {1, os.getpid(), mount.pid, spawn()} <= set(pids(mount / hierarchy / "cgroup.procs"))
    assert threading.get_native_id() in pids(mount / hierarchy / "tasks")


def test_unconfigured_cpuset_refuses(mount, spawn):
    (mount / "cpuset" / "a").mkdir()
    pid = str(spawn())
    assert error_of(write, mount / "cpuset" / "a" / "cgroup.procs", pid) == "ENOSPC"
    assert error_of(write, mount / "cpuset" / "a" / "tasks", pid) == "ENOSPC"


def test_bad_numbers(cgroup):
    procs = cgroup("cpu", "a") / "cgroup.procs"
    for text in ("abc", "-1", "1 2", "1,2", "0x", " "):
        assert error_of(write, procs, text) == "EINVAL", text
    assert error_of(write, procs, "2000000000") == "ESRCH"
    assert write(procs, "") == 0
    assert pids(procs) == []


def test_zero_is_the_writer(cgroup):
    path = cgroup("cpu", "a")

    def attach():
        write(path / "cgroup.procs", "0")
        return pids(path / "cgroup.procs") == [os.getpid()]

    assert in_child(attach)
    assert pids(path / "cgroup.procs") == []


def test_zero_from_a_thread(cgroup):
    """cgroup.procs moves the thread's process, tasks the thread alone."""
    path = cgroup("cpu", "a")
    seen = {}

    def in_thread():
        write(path / "tasks", "0")
        seen["tasks"] = pids(path / "tasks") == [threading.get_native_id()]
        write(path / "cgroup.procs", "0")
        seen["all"] = pids(path / "tasks") == sorted((os.getpid(), threading.get_native_id()))

    def attach():
        thread = threading.Thread(target=in_thread)
        thread.start()
        thread.join()
        return seen

    assert in_child(attach) == {"tasks": True, "all": True}


def test_threads(cgroup):
    a, b = cgroup("cpu", "a"), cgroup("cpu", "b")
    with Helper(PARENT) as process:
        threads = [int(process.ask("thread")) for _ in range(3)]
        write(a / "cgroup.procs", str(threads[1]))
        assert pids(a / "tasks") == sorted([process.pid, *threads])
        assert pids(a / "cgroup.procs") == [process.pid]
        write(b / "tasks", str(threads[0]))
        assert pids(b / "tasks") == [threads[0]]
        assert pids(a / "tasks") == sorted([process.pid, *threads[1:]])
        assert pids(a / "cgroup.procs") == pids(b / "cgroup.procs") == [process.pid]
        assert error_of(os.rmdir, b) == "EBUSY"
        write(b / "cgroup.procs", str(process.pid))
        assert pids(a / "tasks") == []
    assert wait_until(lambda: not pids(b / "tasks"))


def test_sorted(cgroup, spawn):
    procs = cgroup("pids", "a") / "cgroup.procs"
    members = [spawn() for _ in range(20)]
    for pid in members[::2] + members[::-3]:
        write(procs, str(pid))
    assert pids(procs) == sorted({*members[::2], *members[::-3]})


def test_exit(cgroup, spawn):
    path = cgroup("pids", "a")
    stays, goes = spawn(), spawn()
    write(path / "cgroup.procs", str(stays))
    write(path / "cgroup.procs", str(goes))
    spawn.end(goes)
    assert pids(path / "cgroup.procs") == [stays]
    assert read(path / "pids.current") == "1\n"
    assert error_of(os.rmdir, path) == "EBUSY"
    spawn.end(stays)
    assert pids(path / "cgroup.procs") == []
    os.rmdir(path)


def test_child_starts_where_its_parent_is(cgroup):
    path = cgroup("cpu", "a")
    with Helper(PARENT) as process:
        write(path / "cgroup.procs", str(process.pid))
        child = int(process.ask("fork"))
        try:
            family = sorted((process.pid, child))
            assert pids(path / "cgroup.procs") == family
            thread = int(process.ask("thread"))
            assert thread in pids(path / "tasks")
        finally:
            os.kill(child, 9)


def test_hierarchies_are_independent(cgroup, spawn):
    cpu, memory = cgroup("cpu", "a"), cgroup("memory", "a")
    pid = spawn()
    write(memory.parent / "cgroup.procs", str(pid))
    write(cpu / "cgroup.procs", str(pid))
    assert pids(memory / "cgroup.procs") == []
    assert pid in pids(memory.parent / "cgroup.procs")
    write(memory / "cgroup.procs", str(pid))
    write(cpu.parent / "cgroup.procs", str(pid))
    assert pids(memory / "cgroup.procs") == [pid]


def test_removed_cgroup_is_forgotten(cgroup, spawn):
    path = cgroup("cpu", "a")
    pid = spawn()
    write(path / "cgroup.procs", str(pid))
    assert pids(path / "cgroup.procs") == [pid]
    write(path / "cpu.shares", "77")
    assert error_of(os.rmdir, path) == "EBUSY"
    spawn.end(pid)
    os.rmdir(path)
    path = cgroup("cpu", "a")
    assert pids(path / "cgroup.procs") == []
    assert read(path / "cpu.shares") == "1024\n"


def in_pid_namespace(script):
    """Runs a shell script as process 1 of its own pid namespace."""
    return subprocess.Popen(["unshare", "--pid", "--fork", "sh", "-c", script], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def is_shell_of(pid, path):
    """True when this is the shell that in_pid_namespace() has started."""
    command = read(f"/proc/{pid}/cmdline").split("\0")
    return command[:2] == ["sh", "-c"] and str(path) in command[2]


def test_pid_namespace(cgroup, spawn):
    """Numbers are the writer's and the reader's own; who is not in the namespace is not shown."""
    path = cgroup("cpu", "a")
    outsider = spawn()
    write(path / "cgroup.procs", str(outsider))
    # Shell built-ins only, so that nobody else is in there.
    inside = in_pid_namespace(f'echo $$ > {path}/cgroup.procs; read one < {path}/cgroup.procs; '
                              'echo $one; read wait')
    try:
        assert inside.stdout.readline() == "1\n"
        insider, = set(pids(path / "cgroup.procs")) - {outsider}
        assert is_shell_of(insider, path), "its number out here"
    finally:
        inside.communicate("\n", timeout=PATIENCE)
    assert pids(path / "cgroup.procs") == [outsider]


@pytest.mark.usefixtures("private_mounts")
@pytest.mark.daemon
def test_writer_outside_of_the_daemons_namespace(directory):
    """What it calls 3 is not what the daemon calls so: nobody is moved, not even when there is a 3 in
    there."""
    inside = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c",
         f"sleep 1000 & sleep 1000 & exec {BINARY} -f {directory}"], stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: read(f"/proc/{inside.pid}/task/{inside.pid}/children"))
        daemon = read(f"/proc/{inside.pid}/task/{inside.pid}/children").split()[0]
        tree = pathlib.Path(f"/proc/{daemon}/root/{directory}/cpu")
        assert wait_until(lambda: os.path.isdir(tree))
        (tree / "a").mkdir()
        for number in ("2", "3", str(os.getpid())):
            assert error_of(write, tree / "a" / "cgroup.procs", number) == "ESRCH"
        assert pids(tree / "a" / "cgroup.procs") == []
        command = ["nsenter", "-t", daemon, "-p", "-m", "sh", "-c",
                   f"echo 3 > {directory}/cpu/a/cgroup.procs; cat {directory}/cpu/a/cgroup.procs"]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "3\n"
    finally:
        os.kill(int(daemon), signal.SIGKILL)
        inside.wait()


def test_pid_namespace_writer_is_zero(cgroup):
    path = cgroup("cpu", "a")
    inside = in_pid_namespace(f'echo 0 > {path}/tasks; read one < {path}/tasks; '
                              f'echo $one; echo 77777 > {path}/tasks; echo $?; read wait')
    try:
        assert inside.stdout.readline() == "1\n"
        assert inside.stdout.readline() != "0\n", "there is no 77777 in there"
        insider, = pids(path / "tasks")
        assert is_shell_of(insider, path)
    finally:
        inside.communicate("\n", timeout=PATIENCE)


def test_threads_that_are_made_meanwhile(cgroup):
    """A process moves as a whole: a thread that it makes at that moment comes along."""
    here, there = cgroup("cpu", "here"), cgroup("cpu", "there")
    with subprocess.Popen([sys.executable, "-c", MAKER], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"begun\n"
            write(there / "cgroup.procs", str(process.pid))
            for _ in range(300):
                write(here / "cgroup.procs", str(process.pid))
                assert pids(there / "tasks") == []
                here, there = there, here
        finally:
            process.kill()
    assert wait_until(lambda: pids(here / "tasks") == pids(there / "tasks") == [])
