# SPDX-License-Identifier: MIT
"""Many cgroups: the daemon keeps what is there, and nothing of what is gone."""

import os

import pytest

from files import read, write
from mounting import in_gvisor

COUNT = 1000 if in_gvisor() else 3000  # calls take five times as long there


def make(root):
    for number in range(COUNT):
        (root / f"group{number}").mkdir()


def use(root):
    for number in range(COUNT):
        write(root / f"group{number}" / "cpu.shares", str(number + 2))
    for number in range(COUNT):
        assert read(root / f"group{number}" / "cpu.shares") == f"{number + 2}\n"


def remove(root):
    for number in range(COUNT):
        (root / f"group{number}").rmdir()


def test_many_cgroups(mount):
    root = mount / "cpu"
    names = set(os.listdir(root))
    make(root)
    assert set(os.listdir(root)) - names == {f"group{number}" for number in range(COUNT)}
    assert os.stat(root).st_nlink == 2 + COUNT
    use(root)
    remove(root)
    assert set(os.listdir(root)) == names


@pytest.mark.daemon
@pytest.mark.resident
def test_memory_of_removed_cgroups_is_used_again(mount):
    """After the third round the daemon is no larger than after the first."""
    root = mount / "cpu"
    sizes = [mount.resident()]
    for _ in range(3):
        make(root)
        use(root)
        remove(root)
        sizes.append(mount.resident())
    print("resident KiB:", [size // 1024 for size in sizes])
    assert sizes[3] - sizes[1] < 2 * COUNT * 200, "bytes for each that is gone"


@pytest.mark.daemon
@pytest.mark.resident
def test_memory_of_what_was_read_is_used_again(mount):
    def read_much():
        for _ in range(COUNT):
            read(mount / "memory" / "memory.stat")
        return mount.resident()

    before = read_much()
    assert read_much() - before < COUNT * 200


@pytest.mark.daemon
@pytest.mark.resident
def test_memory_of_a_cgroup(mount):
    root = mount / "cpu"
    before = mount.resident()
    make(root)
    each = (mount.resident() - before) / COUNT
    print(f"{each:.0f} bytes a cgroup")
    remove(root)
    assert each < 2048
