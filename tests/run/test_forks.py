# SPDX-License-Identifier: MIT
"""The tracer tells of forks and exits: nobody else can, where the kernel tells of none."""

import pytest

import forks
import launcher


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


def test_short_lives(traced):
    """What short processes use is counted though nobody looks until all have ended."""
    status, shown, used = traced.call(forks.many, 200)
    assert status == 0
    assert shown == pytest.approx(used, rel=0.02, abs=0.02)  # two ticks: what the shell had used before
