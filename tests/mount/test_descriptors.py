# SPDX-License-Identifier: MIT
"""Registered eventfds are descriptors of the daemon: nobody uses them up, and none stays that is closed."""

import contextlib
import os
import resource

import pytest

import mounting
from files import read, write
from processes import NOBODY, Helper, error_of

pytestmark = pytest.mark.daemon

def each(daemon):
    """How many registrations a user may have: fewer where not even root may allow the daemon more files."""
    with open(f"/proc/{daemon.pid}/limits", encoding="ascii") as limits:
        line = next(line for line in limits if line.startswith("Max open files"))
    return min(1024, int(line.split()[3]) // 8)


# Registers as another user: "FD COUNT" with this one eventfd, or with one of its own each (0); says
# how many it has by now, and why there are no more. "close" closes all.
REGISTRANT = f"""
import errno, os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
directory, uid = sys.stdin.readline().split()
os.setgroups([])
os.setresgid(int(uid), int(uid), int(uid))
os.setresuid(int(uid), int(uid), int(uid))
watched = os.open(directory + "/memory.usage_in_bytes", os.O_RDONLY)
control = os.open(directory + "/cgroup.event_control", os.O_WRONLY)
eventfds, number = [], 0
for line in sys.stdin:
    why = "OK"
    if line == "close\\n":
        for eventfd in eventfds:
            os.close(eventfd)
        eventfds = []
    else:
        shared, count = map(int, line.split())
        for _ in range(count):
            eventfd = os.eventfd(0) if not shared or not eventfds else eventfds[0]
            if eventfd not in eventfds[:1]:
                eventfds.append(eventfd)
            number += 1
            try:
                os.write(control, f"{{eventfd}} {{watched}} {{4096 * number}}".encode())
            except OSError as error:
                number -= 1
                why = errno.errorcode[error.errno]
                if eventfd != eventfds[0]:
                    os.close(eventfds.pop())
                break
    print(number, why)
"""


class Registrant(Helper):
    def __init__(self, directory, uid):
        super().__init__(REGISTRANT)
        self.process.stdin.write(f"{directory} {uid}\n")

    def register(self, count, shared=False):
        return self.ask(f"{int(shared)} {count}")


def eventfds(daemon):
    """How many of them it has open."""
    count = 0
    for fd in os.listdir(f"/proc/{daemon.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f"/proc/{daemon.pid}/fd/{fd}") == "anon_inode:[eventfd]"
    return count


@pytest.fixture
def few():
    """Whoever is started now is given few descriptors, unless it asks for more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def serves(daemon, spawn):
    """Members stay members, root can attach, and the cgroup of a process is busy."""
    box = daemon / "pids" / "box"
    box.mkdir(exist_ok=True)
    pid = spawn()
    write(box / "cgroup.procs", str(pid))
    assert str(pid) in read(box / "cgroup.procs").split()
    assert int(read(box / "pids.current")) == len(read(box / "cgroup.procs").split())
    assert error_of(box.rmdir) == "EBUSY"


def delegated(daemon, name, uid):
    path = daemon / "memory" / name
    path.mkdir()
    for entry in (path, *path.iterdir()):
        os.chown(entry, uid, uid)
    return path


@pytest.mark.parametrize("source", ("auto", "scan"))
def test_a_user_does_not_use_them_up(start, spawn, few, source):
    daemon = start("-o", f"accounting={source}")
    serves(daemon, spawn)
    before = eventfds(daemon)
    with Registrant(delegated(daemon, "user", NOBODY), NOBODY) as user:
        assert user.register(2000) == f"{each(daemon)} ENOSPC"
        serves(daemon, spawn)
        with Registrant(daemon / "memory" / "user", 0) as root:
            assert root.register(10) == "10 OK"
    assert mounting.wait_until(lambda: eventfds(daemon) == before), "closed, and not dropped"
    serves(daemon, spawn)


def test_one_eventfd_is_one_descriptor(start):
    daemon = start()
    before = eventfds(daemon)
    with Registrant(delegated(daemon, "user", NOBODY), NOBODY) as user:
        assert user.register(2000, shared=True) == f"{each(daemon)} ENOSPC"
        assert eventfds(daemon) == before + 1
        user.ask("close")
        assert mounting.wait_until(lambda: eventfds(daemon) == before), "closed, and not dropped"
        assert user.register(10) == f"{each(daemon) + 10} OK"


def test_all_users_together_leave_half(directory, spawn):
    """Where the daemon may have few: users have an eighth each, all together half."""
    daemon = mounting.Daemon(directory, "-o", "accounting=scan", wrapper=(
        "prlimit", "--nofile=64:64", "setpriv", "--bounding-set=-sys_resource"))
    before = eventfds(daemon)
    users = [Registrant(delegated(daemon, str(uid), uid), uid) for uid in (NOBODY, NOBODY - 1)]
    root = Registrant(daemon / "memory" / str(NOBODY), 0)
    try:
        for user in users:
            assert user.register(20) == "8 ENOSPC"
        assert root.register(20) == "16 EMFILE"
        assert eventfds(daemon) == before + 32
        serves(daemon, spawn)
        users[0].ask("close")
        assert mounting.wait_until(lambda: eventfds(daemon) == before + 24)
        assert root.register(1) == "17 OK"
        assert daemon.stop() == (0, "")
    finally:
        for helper in (*users, root):
            helper.__exit__()
