# SPDX-License-Identifier: MIT
"""Open tables have memory and descriptors of the supervisor: nobody takes up what others need."""

import ctypes
import os

import pytest

import launcher
import mounting
import probes
from processes import NOBODY, error_of
from test_opening import wait_for_news

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it has another user open tables"),
    pytest.mark.skipif(mounting.in_gvisor(), reason="tables are files in memory there, without news"),
]

MOUNTINFO = "/proc/self/mountinfo"
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 16384, 1 << 18
LONG = 4000  # bytes of a mount's source
MOUNTS = 256  # of such sources: a table of 1 MiB
SHARE = 64 << 20  # src/run/table_share.h


@pytest.fixture
def alone():
    """In a namespace into which nobody mounts."""
    with launcher.Inside(wrapper=launcher.WITHOUT_CGROUPS) as program:
        yield program


class Other:
    """Does work as another user in a child, and then waits until it is let go."""

    def __init__(self, work):
        reader, self.said = os.pipe()
        self.end, writer = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self.said)
            os.write(writer, work().encode())
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        os.close(reader)
        os.close(writer)
        with open(self.end, encoding="ascii") as file:
            self.answer = file.read()

    def let_go(self):
        os.close(self.said)
        os.waitpid(self.pid, 0)


def become_nobody():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def open_until(most, fds):
    """How many could be opened, and why no more."""
    error = None
    while len(fds) < most and not error:
        error = error_of(lambda: fds.append(os.open(MOUNTINFO, os.O_RDONLY)))
    return f"{len(fds)} {error}"


def open_one():
    fds = []
    said = open_until(1, fds)
    for fd in fds:
        os.close(fd)
    return said


def open_many():
    become_nobody()
    return open_until(300, [])


def open_large():
    """As one in whose namespace the table is large."""
    assert probes.LIBC.unshare(CLONE_NEWNS) == 0
    assert probes.LIBC.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None) == 0
    for _ in range(MOUNTS):
        assert probes.LIBC.mount(b"x" * LONG, b"/mnt", b"tmpfs", ctypes.c_ulong(0), None) == 0
    become_nobody()
    fds = []
    first = open_until(2 * SHARE // (MOUNTS * LONG), fds)
    for fd in fds:
        os.close(fd)
    again = mounting.wait_until(lambda: open_one() == "1 None")
    return f"{first} {again}"


def news_beside_many():
    other = Other(open_many)
    news = wait_for_news("mountinfo")
    other.let_go()
    return other.answer, news


def large_beside_root():
    other = Other(open_large)
    mine = open_one()
    other.let_go()
    return other.answer, mine


def test_news(alone):
    """A user who has the news of many tables told leaves others theirs."""
    assert alone.call(news_beside_many) == ("300 None", [[], "told", [], [], "told", []])


def test_memory(alone):
    """What one user's tables may take has a bound, and comes back."""
    answer, roots = alone.call(large_beside_root)
    count, error, again = answer.split()
    assert (error, again, roots) == ("ENOMEM", "True", "1 None")
    assert 0.8 * SHARE <= int(count) * 2 * MOUNTS * LONG <= SHARE
