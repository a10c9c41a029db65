# SPDX-License-Identifier: MIT
"""Names, kinds and refusals: the shape of the tree."""

import os
import stat
import subprocess
import time

import pytest

from files import fields, read, read_pieces, write
from mounting import HIERARCHIES
from processes import error_of

COMMON = {"cgroup.clone_children", "cgroup.procs", "notify_on_release", "tasks"}
ROOT_ONLY = {"cgroup.sane_behavior", "release_agent"}
# What clients look for in each hierarchy: kubelet, cAdvisor and runc, of one pod.
READ_BY_CLIENTS = {
    "blkio": ["blkio.throttle.io_service_bytes", "blkio.throttle.io_serviced"],
    "cpu": ["cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.stat"],
    "cpuacct": ["cpuacct.usage", "cpuacct.usage_percpu", "cpuacct.usage_all", "cpuacct.stat"],
    "cpuset": ["cpuset.cpus", "cpuset.mems"],
    "devices": ["devices.list", "devices.allow", "devices.deny"],
    "freezer": ["freezer.state"],
    "memory": ["memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes",
               "memory.failcnt", "memory.stat", "memory.use_hierarchy", "memory.oom_control",
               "memory.numa_stat", "memory.memsw.limit_in_bytes", "memory.kmem.usage_in_bytes"],
    "net_cls": ["net_cls.classid"],
    "net_prio": ["net_prio.prioidx", "net_prio.ifpriomap"],
    "pids": ["pids.current", "pids.max"],
}


def walk_files(directory):
    return [entry for entry in os.scandir(directory) if entry.is_file()]


@pytest.mark.daemon
def test_top(mount):
    assert sorted(os.listdir(mount.path)) == HIERARCHIES
    assert stat.S_ISDIR(os.stat(mount.path).st_mode)
    assert os.stat(mount.path).st_nlink == 2 + len(HIERARCHIES)
    assert error_of(os.mkdir, mount / "new") == "EPERM"
    assert error_of(os.rmdir, mount / "cpu") in ("EBUSY", "EPERM")


def test_chosen_controllers(start):
    mount = start("-o", "controllers=memory:cpu")
    assert sorted(os.listdir(mount.path)) == ["cpu", "memory"]
    assert not (mount / "pids").exists()
    assert read(mount / "cpu" / "cpu.shares") == "1024\n"


@pytest.mark.daemon
@pytest.mark.parametrize("hierarchy", HIERARCHIES)
def test_files(mount, hierarchy):
    root, child = mount / hierarchy, mount / hierarchy / "child"
    child.mkdir()
    names, child_names = set(os.listdir(root)), set(os.listdir(child))
    assert COMMON | ROOT_ONLY <= names
    assert COMMON <= child_names and not ROOT_ONLY & child_names
    assert set(READ_BY_CLIENTS.get(hierarchy, ())) <= child_names
    prefixes = {name.split(".")[0] for name in child_names - {"tasks", "notify_on_release"}}
    assert prefixes <= {"cgroup", hierarchy}
    # An ordinary user's roots are its own to write to: nobody there is above modes.
    assert stat.S_IMODE(os.stat(root).st_mode) == (0o755 if os.geteuid() else 0o555)
    assert stat.S_IMODE(os.stat(child).st_mode) == 0o755
    child.rmdir()
    assert set(os.listdir(root)) == names - {"child"}


@pytest.mark.parametrize("hierarchy", HIERARCHIES)
def test_every_file_answers_as_its_mode_says(mount, hierarchy):
    refused = "EACCES" if os.geteuid() else "EINVAL"  # root is above modes: the file itself says no
    child = mount / hierarchy / "child"
    child.mkdir()
    for entry in walk_files(mount / hierarchy) + walk_files(child):
        status = entry.stat()
        mode = stat.S_IMODE(status.st_mode)
        assert mode in (0o644, 0o444, 0o200), entry.path
        assert (status.st_size, status.st_nlink, status.st_blksize) == (0, 1, 4096), entry.path
        if mode & 0o444:
            if entry.name == "memory.pressure_level":
                continue  # has only events
            content = read(entry.path)
            assert not content or content.endswith(("\n", "\0")), entry.path
        else:
            assert error_of(read, entry.path) == refused, entry.path
        if not mode & 0o200:
            assert error_of(write, entry.path, "1") == refused, entry.path
    child.rmdir()


def test_link_counts(mount):
    cpu = mount / "cpu"
    before = os.stat(cpu).st_nlink
    (cpu / "a").mkdir()
    (cpu / "a" / "b").mkdir()
    assert os.stat(cpu).st_nlink == before + 1
    assert os.stat(cpu / "a").st_nlink == 3
    assert os.stat(cpu / "a" / "b").st_nlink == 2
    (cpu / "a" / "b").rmdir()
    assert os.stat(cpu / "a").st_nlink == 2


@pytest.mark.daemon
def test_inode_numbers(mount):
    """Unique in the mount, the same in a listing and in stat."""
    (mount / "cpu" / "a").mkdir()
    seen = {}
    for directory, _, _ in os.walk(mount.path):
        for entry in os.scandir(directory):
            assert entry.inode() == entry.stat().st_ino, entry.path
            assert entry.inode() not in seen, (entry.path, seen[entry.inode()])
            seen[entry.inode()] = entry.path


def test_deep(mount):
    path = mount / "memory"
    for depth in range(30):
        path = path / f"level{depth}"
        path.mkdir()
    assert write(path / "memory.limit_in_bytes", "64M") == 3
    assert read(path / "memory.limit_in_bytes") == "67108864\n"
    assert error_of(os.rmdir, path.parent) == "EBUSY"
    while path.name != "memory":
        path.rmdir()
        path = path.parent


def test_mkdir(mount):
    cpu = mount / "cpu"
    old = os.umask(0)
    try:
        (cpu / "a").mkdir(0o700)
        (cpu / "b").mkdir(0o777)
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat(cpu / "a").st_mode) == 0o700
    assert stat.S_IMODE(os.stat(cpu / "b").st_mode) == 0o777
    assert error_of(os.mkdir, cpu / "a") == "EEXIST"
    assert error_of(os.mkdir, cpu / "cpu.shares") == "EEXIST"
    assert error_of(os.mkdir, cpu / "x\ny") == "EINVAL"
    assert error_of(os.mkdir, cpu / "none" / "a") == "ENOENT"
    assert error_of(os.mkdir, cpu / "cpu.shares" / "a") == "ENOTDIR"
    assert error_of(os.mkdir, cpu / ("n" * 255)) is None
    for name in ("with space", "ünïcode", "a.b-c:d", "system.slice", "..a", "%41"):
        (cpu / name).mkdir()
        assert name in os.listdir(cpu)
        (cpu / name).rmdir()


def test_rmdir(mount):
    cpu = mount / "cpu"
    (cpu / "a" / "b").mkdir(parents=True)
    assert error_of(os.rmdir, cpu / "a") == "EBUSY"
    assert error_of(os.rmdir, cpu / "cpu.shares") == "ENOTDIR"
    assert error_of(os.rmdir, cpu / "none") == "ENOENT"
    write(cpu / "a" / "b" / "cpu.shares", "77")
    (cpu / "a" / "b").rmdir()
    assert error_of(os.stat, cpu / "a" / "b") == "ENOENT"
    assert error_of(os.stat, cpu / "a" / "b" / "cpu.shares") == "ENOENT"
    (cpu / "a" / "b").mkdir()
    assert read(cpu / "a" / "b" / "cpu.shares") == "1024\n", "a new cgroup, nothing remembered"


def test_rename(mount):
    cpu = mount / "cpu"
    for name in ("a", "b", "other"):
        (cpu / name).mkdir()
    write(cpu / "a" / "cpu.shares", "77")
    os.rename(cpu / "a", cpu / "c")
    assert not (cpu / "a").exists()
    assert read(cpu / "c" / "cpu.shares") == "77\n"
    assert error_of(os.rename, cpu / "c", cpu / "b") == "EEXIST"
    assert error_of(os.rename, cpu / "c", cpu / "other" / "c") == "EIO"
    assert error_of(os.rename, cpu / "cpu.shares", cpu / "cpu.new") == "ENOTDIR"
    assert error_of(os.rename, cpu / "none", cpu / "new") == "ENOENT"


@pytest.mark.parametrize("where", [".", "child"])
def test_refusals(mount, where):
    cpu = mount / "cpu"
    (cpu / "child").mkdir()
    directory = cpu / where
    file, new = directory / "cpu.shares", directory / "new"
    assert error_of(os.unlink, file) == "EPERM"
    assert error_of(os.link, file, new) == "EPERM"
    assert error_of(os.symlink, "target", new) == "EPERM"
    assert error_of(os.mkfifo, new) == "EPERM"
    assert error_of(write, new, "", os.O_CREAT) == "EACCES"
    assert error_of(os.open, new, os.O_RDONLY) == "ENOENT"
    assert error_of(os.open, file, os.O_RDONLY | os.O_DIRECTORY) == "ENOTDIR"
    assert error_of(os.open, directory, os.O_WRONLY) == "EISDIR"
    assert not new.exists()


def test_mknod_of_a_file(mount):
    """vfs_mknod() asks create for it, not mknod."""
    assert error_of(os.mknod, mount / "cpu" / "new") == "EACCES"


def test_unlink_of_an_open_file(mount):
    with open(mount / "cpu" / "cpu.shares", encoding="utf-8") as file:
        assert error_of(os.unlink, mount / "cpu" / "cpu.shares") == "EPERM"
        assert file.read() == "1024\n"


def test_attributes_last(mount):
    file = mount / "cpu" / "a" / "cpu.shares"
    file.parent.mkdir()
    os.chmod(file, 0o600)
    os.chown(file, 12, 34)
    os.utime(file, ns=(1_000_000_001, 2_000_000_002))
    status = os.stat(file)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert (status.st_uid, status.st_gid) == (12, 34)
    assert (status.st_atime_ns, status.st_mtime_ns) == (1_000_000_001, 2_000_000_002)
    os.chown(file, -1, 56)
    assert (os.stat(file).st_uid, os.stat(file).st_gid) == (12, 56)


@pytest.mark.parametrize("change", [
    lambda path: os.chmod(path, 0o640), lambda path: os.chown(path, 12, -1),
    lambda path: os.chown(path, -1, 34), lambda path: os.utime(path, ns=(1, 2)),
], ids=["mode", "user", "group", "times"])
@pytest.mark.parametrize("name", ["", "cpu.shares"], ids=["directory", "file"])
def test_changes_of_attributes_are_dated(mount, name, change):
    path = mount / "cpu" / "a" / name
    (mount / "cpu" / "a").mkdir()
    before = os.stat(path).st_ctime_ns
    time.sleep(0.02)  # more than a tick of the kernel's clock
    change(path)
    assert before < os.stat(path).st_ctime_ns <= time.time_ns()


def test_numbers_of_dot_and_dot_dot(mount):
    child = mount / "cpu" / "a" / "b"
    child.mkdir(parents=True)
    listed = subprocess.run(["ls", "-1iaf", child], capture_output=True, text=True, check=True).stdout
    numbers = {name: int(number) for number, name in map(str.split, listed.splitlines())}
    assert numbers["."] == os.stat(child).st_ino
    assert numbers[".."] == os.stat(child.parent).st_ino
    assert len(set(numbers.values())) == len(numbers)


def test_extended_attributes(mount):
    directory = mount / "cpu" / "a"
    directory.mkdir()
    for path in (directory, directory / "cpu.shares"):
        os.setxattr(path, "user.note", b"one")
        os.setxattr(path, "trusted.note", b"two")
        assert os.getxattr(path, "user.note") == b"one"
        assert sorted(os.listxattr(path)) == ["trusted.note", "user.note"]
        assert error_of(os.setxattr, path, "user.note", b"x", os.XATTR_CREATE) == "EEXIST"
        assert error_of(os.setxattr, path, "user.new", b"x", os.XATTR_REPLACE) == "ENODATA"
        os.removexattr(path, "user.note")
        assert error_of(os.getxattr, path, "user.note") == "ENODATA"
        assert error_of(os.setxattr, path, "nonsense.note", b"x") == "ENOTSUP"


@pytest.mark.daemon
def test_attributes_of_the_top_directory(start):
    """Of v2 it is a cgroup as others are, but for those by which the launcher tells what it knows."""
    top = start("-o", "v2").path
    child = os.path.join(top, "a")
    os.mkdir(child)
    for path in (top, child):
        os.setxattr(path, "user.note", b"one")
        assert os.getxattr(path, "user.note") == b"one"
    assert error_of(os.setxattr, child, "system.cgroup.options", b"") == "ENOTSUP"
    assert error_of(os.setxattr, top, "system.cgroup.nonsense", b"") == "ENOTSUP"
    assert error_of(os.setxattr, top, "system.cgroup.options", b"x" * 300) == "EINVAL"
    os.setxattr(top, "system.cgroup.options", b"nsdelegate")
    assert b"nsdelegate" in os.getxattr(top, "system.cgroup.options")


def test_truncate_changes_nothing(mount):
    file = mount / "cpu" / "a" / "cpu.shares"
    file.parent.mkdir()
    os.truncate(file, 0)
    os.truncate(file, 100)
    assert write(file, "300\n", os.O_TRUNC) == 4
    assert write(file, "400\n", os.O_APPEND) == 4
    assert write(file, "500\n", os.O_CREAT | os.O_TRUNC) == 4
    assert os.stat(file).st_size == 0
    assert read(file) == "500\n"


def test_values_round_trip(mount):
    """The numbers a user would try first; the oracle has the rest of the grammar."""
    memory = mount / "memory" / "a"
    memory.mkdir()
    limit = memory / "memory.limit_in_bytes"
    assert write(limit, "512M\n") == 5
    assert read(limit) == "536870912\n"
    assert error_of(write, limit, "12monkeys") == "EINVAL"
    assert read(limit) == "536870912\n"
    assert fields(memory / "memory.stat")["hierarchical_memory_limit"] == 536870912
    assert write(limit, "-1") == 2
    assert read(limit) == "9223372036854771712\n"
    assert write(limit, "") == 0


def test_every_write_is_a_value_of_its_own(mount):
    (mount / "cpu" / "a").mkdir()
    fd = os.open(mount / "cpu" / "a" / "cpu.shares", os.O_RDWR)
    try:
        assert os.write(fd, b"200\n") == 4
        assert os.pread(fd, 100, 0) == b"200\n"
        assert os.write(fd, b"300\n") == 4, "wherever the file position is"
        assert os.pwrite(fd, b"400\n", 1000) == 4
        assert os.pread(fd, 100, 0) == b"400\n"
    finally:
        os.close(fd)
    assert read_pieces(mount / "cpu" / "a" / "cpu.shares", 1) == "400\n"
