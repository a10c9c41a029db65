# SPDX-License-Identifier: MIT
"""The tracer tells of forks and exits: nobody else can, where the kernel tells of none."""

import subprocess

import pytest

import forks
import launcher
import mounting


@pytest.fixture(scope="module")
def traced():
    """A program whose calls are caught by ptrace."""
    with launcher.Inside("--v1", "--backend=trace") as program:
        yield program


@pytest.mark.skipif(not forks.CLONE, reason="the number of clone(2) is not known here")
def test_maker(traced):
    """A new process starts where its maker is, whoever its parent is."""
    found, new, left = traced.call(forks.sibling)
    assert found == [new]
    assert left == []


@pytest.mark.skipif(not forks.CLONE, reason="the number of clone(2) is not known here")
@pytest.mark.parametrize("namespace", [0, forks.CLONE_NEWPID], ids=["here", "in a pid namespace"])
def test_makers_beside_others_that_end(traced, namespace):
    """The end of another task tells nothing of who has made a new one."""
    count = 100 if mounting.SLOW else 200
    assert traced.call(forks.siblings, count, namespace) == (count, [])


@pytest.mark.skipif(not forks.CLONE, reason="the number of clone(2) is not known here")
def test_killed_makers(traced):
    """A new task goes on though nobody lives who could tell that it has made it."""
    assert traced.call(forks.killed_makers, 200) == []


def test_short_lives(traced):
    """What short processes use is counted though nobody looks until all have ended."""
    status, shown, used = traced.call(forks.many, 200)
    assert status == 0
    assert shown == pytest.approx(used, rel=0.02, abs=0.02)  # two ticks: what the shell had used before


def test_strangers(traced):
    """A member that is not traced: its children are found by each question, though nobody tells of them."""
    script = "all=$$; while read -r _; do sleep 1000 & all=\"$! $all\"; echo $!; done; kill $all"
    with subprocess.Popen(["sh", "-c", script],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stranger:
        traced.call(forks.adopt, stranger.pid)
        members = [str(stranger.pid)]
        for _ in range(20):
            stranger.stdin.write("\n")
            stranger.stdin.flush()
            members.append(stranger.stdout.readline().strip())
            assert sorted(traced.call(forks.adopted)) == sorted(members)
        stranger.stdin.close()
