# SPDX-License-Identifier: MIT
"""One open is one snapshot, whole at any read size; a removed cgroup's files say so."""

import os
import re
import threading

import pytest

from files import fields, pids, read, read_pieces, write
from mounting import HIERARCHIES, SANITIZED, in_gvisor, wait_until
from processes import error_of

NO_CONTENT = "memory.pressure_level"  # mode 0444, but only for events


def numberless(text):
    """What stays the same between two reads of a live file."""
    return re.sub(r"\d+", "0", text)


@pytest.mark.parametrize("hierarchy", HIERARCHIES)
def test_any_read_size(mount, hierarchy):
    child = mount / hierarchy / "child"
    child.mkdir()
    lists_of_all = (str(mount / hierarchy / "tasks"), str(mount / hierarchy / "cgroup.procs"))
    for directory in (mount / hierarchy, child):
        for entry in os.scandir(directory):
            if not entry.is_file() or not entry.stat().st_mode & 0o444 or \
                    entry.name == NO_CONTENT or entry.path in lists_of_all:
                continue
            whole = read_pieces(entry.path, 1 << 20)
            for size in (1, 7, 100, 4096, 65536):
                assert numberless(read_pieces(entry.path, size)) == numberless(whole), \
                    (entry.path, size)


def test_snapshot(mount):
    """A reader in pieces sees one moment; at the start again it sees the present."""
    shares = mount / "cpu" / "a" / "cpu.shares"
    shares.parent.mkdir()
    write(shares, "12345")
    with open(shares, "rb", buffering=0) as file:
        assert file.read(2) == b"12"
        write(shares, "200000")
        assert file.read(100) == b"345\n"
        assert file.read(100) == b""
        file.seek(0)
        assert file.read(100) == b"200000\n"
        write(shares, "99999")
        assert os.pread(file.fileno(), 100, 0) == b"99999\n"
    assert read(shares) == "99999\n"


def test_a_read_elsewhere_sees_the_present(mount):
    """Only who goes on where the last read ended goes on with what that saw (seq_file)."""
    shares = mount / "cpu" / "a" / "cpu.shares"
    shares.parent.mkdir()
    write(shares, "12345")
    with open(shares, "rb", buffering=0) as file:
        assert file.read(100) == b"12345\n"
        write(shares, "67890")
        assert os.pread(file.fileno(), 2, 1) == b"78"
        write(shares, "12345")
        assert os.pread(file.fileno(), 2, 3) == b"90"
        assert os.pread(file.fileno(), 2, 3) == b"45"
        shares.parent.rmdir()
        assert os.pread(file.fileno(), 2, 5) == b"\n"
        assert error_of(os.pread, file.fileno(), 2, 6) == "ENODEV"


def test_longer_content_at_the_start_again(mount):
    """Nothing is cut when a file has grown since it was opened."""
    directory = mount / "devices" / "a"
    directory.mkdir()
    with open(directory / "devices.list", "rb", buffering=0) as file:
        assert file.read(100000) == b"a *:* rwm\n"
        write(directory / "devices.deny", "a")
        for minor in range(500):
            write(directory / "devices.allow", f"c 1:{minor} r")
        assert len(os.pread(file.fileno(), 100000, 0).splitlines()) == 500


def test_reads_past_the_end(mount):
    fd = os.open(mount / "cpu" / "cpu.shares", os.O_RDONLY)
    try:
        assert os.pread(fd, 100, 5) == b""
        assert os.pread(fd, 100, 4) == b"\n"
        assert os.pread(fd, 100, 1 << 20) == b""
    finally:
        os.close(fd)


@pytest.mark.daemon
def test_figures_add_up(mount):
    """Related figures of one file belong to one moment."""
    for _ in range(20):
        total = sum(map(int, read(mount / "cpuacct" / "cpuacct.usage_percpu").split()))
        after = int(read(mount / "cpuacct" / "cpuacct.usage"))
        assert total <= after
    rows = read(mount / "cpuacct" / "cpuacct.usage_all").splitlines()
    assert rows[0] == "cpu user system"
    assert len(rows) - 1 == len(read(mount / "cpuacct" / "cpuacct.usage_percpu").split())


def test_counters_never_go_back(mount, spawn):
    (mount / "cpuacct" / "a").mkdir()
    write(mount / "cpuacct" / "a" / "cgroup.procs", str(spawn()))
    for usage in (mount / "cpuacct" / "cpuacct.usage", mount / "cpuacct" / "a" / "cpuacct.usage"):
        last = 0
        for _ in range(100):
            now = int(read(usage))
            assert now >= last
            last = now


@pytest.mark.daemon
def test_root_follows_the_machine(mount):
    """The root's figures are those of /proc, now."""
    before = int(read(mount / "cpuacct" / "cpuacct.usage"))

    def grown():
        sum(range(1_000_000))
        return int(read(mount / "cpuacct" / "cpuacct.usage")) > before

    assert wait_until(grown)
    with open("/proc/meminfo", encoding="utf-8") as file:
        meminfo = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in file}
    assert 0 < int(read(mount / "memory" / "memory.usage_in_bytes")) <= meminfo["MemTotal"]
    cpus = read(mount / "cpuset" / "cpuset.cpus").strip()
    assert cpus and cpus == read(mount / "cpuset" / "cpuset.effective_cpus").strip()


@pytest.mark.parametrize("size", [10, 65536], ids=["pieces", "whole"])
def test_removed_cgroup(mount, size):
    """Open files of a cgroup that was removed answer ENODEV."""
    names = ["cgroup.procs", "tasks", "memory.stat", "memory.limit_in_bytes",
             "memory.usage_in_bytes", "notify_on_release"]
    directory = mount / "memory" / "a"
    directory.mkdir()
    files = {name: os.open(directory / name, os.O_RDWR if name != "memory.stat" else os.O_RDONLY)
             for name in names}
    try:
        for fd in files.values():
            os.read(fd, size)
        directory.rmdir()
        for name, fd in files.items():
            assert error_of(os.pread, fd, 65536, 0) == "ENODEV", name
            if name != "memory.stat":
                assert error_of(os.write, fd, b"0") == "ENODEV", name
    finally:
        for fd in files.values():
            os.close(fd)


def test_removed_and_made_again(mount):
    """The old file does not come to life with a new cgroup of the same name."""
    directory = mount / "cpu" / "a"
    directory.mkdir()
    fd = os.open(directory / "cpu.shares", os.O_RDWR)
    try:
        directory.rmdir()
        directory.mkdir()
        assert error_of(os.pread, fd, 100, 0) == "ENODEV"
        assert error_of(os.write, fd, b"77") == "ENODEV"
        assert read(directory / "cpu.shares") == "1024\n"
    finally:
        os.close(fd)


def test_parallel_readers(mount, spawn):
    """Many threads at once: every answer whole, every counter in order."""
    directory = mount / "memory" / "a"
    directory.mkdir()
    member = spawn()
    write(directory / "cgroup.procs", str(member))
    keys = list(fields(directory / "memory.stat"))
    failures = []

    def reader():
        try:
            last = 0
            for _ in range(10 if SANITIZED else 50):
                assert list(fields(directory / "memory.stat")) == keys
                assert pids(directory / "cgroup.procs") == [member]
                now = int(read(mount / "cpuacct" / "cpuacct.usage"))
                assert now >= last
                last = now
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=reader) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_parallel_readers_of_one_open_file(mount):
    fd = os.open(mount / "memory" / "memory.stat", os.O_RDONLY)
    words = numberless(os.pread(fd, 65536, 0).decode())
    failures = []

    def reader():
        for _ in range(20):
            if numberless(os.pread(fd, 65536, 0).decode()) != words:
                failures.append(fd)

    threads = [threading.Thread(target=reader) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.close(fd)
    assert not failures


def test_long_list_in_small_pieces(mount, spawn):
    """2,000 processes, read 100 bytes at a time: all of them, once, sorted."""
    count = 200 if in_gvisor() else 2000  # it starts only some thirty a second
    procs = mount / "pids" / "many" / "cgroup.procs"
    procs.parent.mkdir()
    members = sorted(spawn() for _ in range(count))
    for pid in reversed(members):
        write(procs, str(pid))
    expected = "".join(f"{pid}\n" for pid in members)
    assert read_pieces(procs, 100) == expected
    assert read_pieces(procs, 1 << 20) == expected
    assert int(read(procs.parent / "pids.current")) == count
    fd = os.open(procs, os.O_RDONLY)
    try:
        first = os.read(fd, 100)
        for pid in members[count // 2:]:
            spawn.end(pid)
        rest = b"".join(iter(lambda: os.read(fd, 100), b""))
    finally:
        os.close(fd)
    assert (first + rest).decode() == expected, "the moment of the first read"
    assert pids(procs) == members[:count // 2]
