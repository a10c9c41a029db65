# SPDX-License-Identifier: MIT
"""Other users: what they may read, and what may be delegated to them."""

import os
import stat

import pytest

from events import Event
from files import pids, read, write
from mounting import HIERARCHIES
from processes import NOBODY, Helper, as_nobody, error_of, in_child


def nobodys_error(work, *arguments):
    return as_nobody(lambda: error_of(work, *arguments))


@pytest.mark.parametrize("hierarchy", HIERARCHIES)
def test_others_may_read(mount, hierarchy):
    child = mount / hierarchy / "child"
    child.mkdir()

    def read_all():
        return {entry.name: error_of(read, entry.path) for entry in os.scandir(child)}

    expected = {name: None if os.stat(child / name).st_mode & stat.S_IROTH else "EACCES"
                for name in os.listdir(child)}
    if hierarchy == "memory":
        expected["memory.pressure_level"] = "EINVAL"  # has only events
    assert as_nobody(read_all) == expected
    assert as_nobody(lambda: read(child / "notify_on_release")) == "0\n"
    (child / "notify_on_release").write_text("1")
    assert as_nobody(lambda: read(child / "notify_on_release")) == "1\n"
    assert nobodys_error(write, child / "notify_on_release", "0") == "EACCES"


IDENTITY = """
import os, sys
os.setresuid(1001, 1002, 1003)
print("ready")
sys.stdin.readline()
"""


def test_whose_processes_may_be_moved(mount):
    """The writer is the process' real or saved user (cgroup1_procs_write), or root."""
    here, there = mount / "cpu" / "here", mount / "cpu" / "there"
    here.mkdir()
    there.mkdir()
    os.chmod(there / "cgroup.procs", 0o666)
    with Helper(IDENTITY) as target:
        assert target.process.stdout.readline() == "ready\n"
        for uid, answer in ((1002, "EACCES"), (1004, "EACCES"), (1001, None), (1003, None), (0, None)):
            write(here / "cgroup.procs", str(target.pid))
            assert in_child(lambda: error_of(write, there / "cgroup.procs", str(target.pid)),
                            uid) == answer, uid
            assert pids(there / "cgroup.procs") == ([] if answer else [target.pid])


@pytest.mark.parametrize("mode, owner, group, answer", [
    (0o400, NOBODY, 0, None), (0o044, NOBODY, 0, "EACCES"), (0o040, 0, NOBODY, None),
    (0o404, 0, NOBODY, "EACCES"), (0o004, 0, 0, None), (0o440, 0, 0, "EACCES")])
def test_who_may_be_told_of_a_file(mount, mode, owner, group, answer):
    """Who may read it now, whoever has opened it (memcg_write_event_control)."""
    cgroup = mount / "memory" / "a"
    cgroup.mkdir()
    os.chmod(cgroup / "cgroup.event_control", 0o222)
    watched = os.open(cgroup / "memory.usage_in_bytes", os.O_RDONLY)
    os.chown(cgroup / "memory.usage_in_bytes", owner, group)
    os.chmod(cgroup / "memory.usage_in_bytes", mode)
    try:
        assert as_nobody(lambda: error_of(write, cgroup / "cgroup.event_control",
                                          f"{Event().fd} {watched} 1G")) == answer
    finally:
        os.close(watched)


@pytest.mark.parametrize("flag", [0, os.SCHED_RESET_ON_FORK])
@pytest.mark.parametrize("policy", [os.SCHED_FIFO, os.SCHED_RR])
def test_real_time_tasks_need_a_share(mount, policy, flag):
    """Where no real time is given (cpu.rt_runtime_us 0, as at first) none of them may enter."""
    child = mount / "cpu" / "child"
    child.mkdir()
    if not (child / "cpu.rt_runtime_us").exists():
        pytest.skip("this kernel has no real time for cgroups")

    def enter(policy):
        try:
            os.sched_setscheduler(0, policy, os.sched_param(1 if policy & ~os.SCHED_RESET_ON_FORK else 0))
        except PermissionError:
            return None
        return error_of(write, child / "tasks", "0") or "entered"

    if not (answer := in_child(lambda: enter(policy | flag))):
        pytest.skip("no real time is to be had here")
    assert answer == "EINVAL"
    assert in_child(lambda: enter(os.SCHED_OTHER | flag)) == "entered"


def test_others_may_not_write(mount):
    child = mount / "cpu" / "child"
    child.mkdir()
    assert nobodys_error(write, child / "cpu.shares", "77") == "EACCES"
    assert nobodys_error(write, child / "cgroup.procs", "0") == "EACCES"
    assert nobodys_error(os.mkdir, child / "new") == "EACCES"
    assert nobodys_error(os.rmdir, child) == "EACCES"
    assert nobodys_error(os.rename, child, mount / "cpu" / "new") == "EACCES"
    assert nobodys_error(os.chmod, child, 0o777) == "EPERM"
    assert nobodys_error(os.chown, child, NOBODY, NOBODY) == "EPERM"
    assert nobodys_error(os.utime, child / "cpu.shares", (1, 1)) == "EPERM"
    assert nobodys_error(os.setxattr, child / "cpu.shares", "user.a", b"") == "EACCES"
    assert read(child / "cpu.shares") == "1024\n"


def test_modes_are_enforced(mount):
    child = mount / "cpu" / "child"
    child.mkdir()
    os.chmod(child / "cpu.shares", 0o600)
    assert nobodys_error(read, child / "cpu.shares") == "EACCES"
    os.chmod(child / "cpu.shares", 0o666)
    assert nobodys_error(write, child / "cpu.shares", "77") is None
    assert read(child / "cpu.shares") == "77\n"
    os.chmod(child, 0o700)
    assert nobodys_error(read, child / "cpu.shares") == "EACCES"
    assert nobodys_error(os.listdir, child) == "EACCES"


def test_delegation(mount):
    """A directory chowned to a user is that user's to divide further."""
    child = mount / "cpu" / "child"
    child.mkdir()
    os.chown(child, NOBODY, NOBODY)

    def divide():
        (child / "web").mkdir()
        write(child / "web" / "cpu.shares", "77")
        return error_of(write, child / "cpu.shares", "88")

    assert as_nobody(divide) == "EACCES", "the limit of what was given stays root's"
    assert read(child / "web" / "cpu.shares") == "77\n"
    for path in (child / "web", child / "web" / "cpu.shares"):
        assert (os.stat(path).st_uid, os.stat(path).st_gid) == (NOBODY, NOBODY)
    assert as_nobody(lambda: (child / "web").rmdir()) is None


def test_attach_is_for_owners(mount, spawn):
    """cgroup1_procs_write: one may move one's own processes, root any."""
    child = mount / "cpu" / "child"
    child.mkdir()
    for path in (child, child / "cgroup.procs", child / "tasks"):
        os.chown(path, NOBODY, NOBODY)
    roots = spawn()

    def attach():
        mine = write(child / "cgroup.procs", "0"), pids(child / "cgroup.procs") == [os.getpid()]
        return mine, error_of(write, child / "cgroup.procs", str(roots)), \
            error_of(write, child / "tasks", str(roots))

    assert as_nobody(attach) == ((1, True), "EACCES", "EACCES")
    assert write(child / "cgroup.procs", str(roots))
    assert pids(child / "cgroup.procs") == [roots]


def test_opener_counts(mount, spawn):
    """Whoever opened the file has the right to write it, whatever the writer is by then."""
    child = mount / "cpu" / "child"
    child.mkdir()
    fd = os.open(child / "cpu.shares", os.O_WRONLY)
    try:
        assert as_nobody(lambda: os.write(fd, b"77")) == 2
    finally:
        os.close(fd)
    assert read(child / "cpu.shares") == "77\n"
