# SPDX-License-Identifier: MIT
"""What the daemon keeps of cgroups that are gone: gVisor tells it of no name that it has forgotten."""

import os

import pytest

import mounting

ROUNDS = 100


@pytest.fixture(name="mounted")
def daemon_and_path():
    with mounting.mount_point() as path:
        daemon = mounting.Daemon(path)
        try:
            yield daemon, path
        finally:
            assert daemon.stop() == (0, "")


def come_and_go(parent, rounds):
    """Cgroups, each of whose files is looked at; how many names that were."""
    names = 0
    for number in range(rounds):
        cgroup = parent / f"a-name-as-long-as-that-of-a-pod-{number}"
        cgroup.mkdir()
        for name in os.listdir(cgroup):
            os.stat(cgroup / name)
            names += 1
        cgroup.rmdir()
    return names + rounds


def test_names_of_removed_cgroups_are_not_kept(mounted):
    daemon, path = mounted
    come_and_go(path / "memory", ROUNDS // 4)  # what grows at first
    before = daemon.resident()
    names = come_and_go(path / "memory", ROUNDS)
    assert daemon.resident() - before < names * 50, "libfuse has some 185 bytes of each"


def test_who_is_in_a_removed_cgroup(mounted):
    """Its open files and directories are there until they are closed; its paths are not."""
    _, path = mounted
    cgroup = path / "memory" / "gone"
    cgroup.mkdir()
    file = os.open(cgroup / "memory.stat", os.O_RDONLY)
    directory = os.open(cgroup, os.O_RDONLY)
    place = os.open(cgroup, os.O_PATH)
    cgroup.rmdir()
    come_and_go(path / "memory", 3)
    with pytest.raises(OSError):
        os.stat("memory.stat", dir_fd=place)
    with pytest.raises(OSError):
        os.stat("memory.stat", dir_fd=directory)
    with pytest.raises(OSError):
        os.read(file, 100)
    for each in (file, directory, place):
        os.close(each)
    come_and_go(path / "memory", 3)
    assert (path / "memory" / "memory.stat").read_text()
