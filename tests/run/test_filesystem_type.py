# SPDX-License-Identifier: MIT
"""statfs and fstatfs say what the kernel would of its own cgroup v1."""

import os

import pytest

import probes
from launcher import AT
from probes import CGROUP, TMPFS
from processes import error_of

BELOW = [f"{AT}/cpu", f"{AT}/memory/", f"{AT}/cpu/cpu.shares", f"{AT}/systemd/tasks",
         f"{AT}/./cpu/../memory//memory.stat"]
OTHERS = ["/", "/proc", "/proc/self/status", "/sys", "/sys/fs", "/dev/null", "/etc/passwd",
          "/proc/self/ns/mnt"]


def kind(inside, path):
    return inside.call(probes.statfs, path)["type"]


def test_top(inside):
    for path in (AT, AT + "/", AT + "/.", AT + "/cpu/.."):
        assert kind(inside, path) == TMPFS, path


@pytest.mark.parametrize("path", BELOW)
def test_below(inside, path):
    assert kind(inside, path) == CGROUP
    assert inside.call(probes.fstatfs_of, path)["type"] == CGROUP
    assert inside.call(probes.fstatfs_of, path, os.O_PATH)["type"] == CGROUP


def test_fstatfs_equals_statfs(inside):
    for path in (AT, *BELOW):
        assert inside.call(probes.statfs, path) == inside.call(probes.fstatfs_of, path), path


def test_child(inside):
    inside.call(os.mkdir, f"{AT}/cpu/child")
    assert kind(inside, f"{AT}/cpu/child") == CGROUP
    assert kind(inside, f"{AT}/cpu/child/cpu.shares") == CGROUP
    inside.call(os.rmdir, f"{AT}/cpu/child")
    assert error_of(kind, inside, f"{AT}/cpu/child") == "ENOENT"


def test_below_a_cgroup_of_others(inside):
    """Whoever may not search it is told nothing of what is below."""
    path = f"{AT}/cpu/private"
    as_nobody = ["setpriv", "--reuid", "65534", "--clear-groups", "stat", "-f", "-c", "%T"]
    inside.call(os.mkdir, path)
    inside.call(os.chmod, path, 0o700)
    try:
        assert inside.call(probes.run, *as_nobody, path)[:2] == (0, "cgroupfs\n")
        status, _, error = inside.call(probes.run, *as_nobody, f"{path}/tasks")
        assert status == 1 and "Permission denied" in error
        assert kind(inside, f"{path}/tasks") == CGROUP
    finally:
        inside.call(os.rmdir, path)


def test_removed_cgroup_that_is_open(inside):
    inside.call(os.mkdir, f"{AT}/cpu/child")
    fd = inside.call(os.open, f"{AT}/cpu/child", os.O_RDONLY)
    inside.call(os.rmdir, f"{AT}/cpu/child")
    assert inside.call(probes.fstatfs, fd)["type"] == CGROUP
    assert kind(inside, f"/proc/self/fd/{fd}") == CGROUP
    inside.call(os.close, fd)


def test_relative(inside):
    for directory, path, expected in ((AT, ".", TMPFS), (AT, "cpu", CGROUP), ("/sys", "fs/cgroup", TMPFS),
                                      (f"{AT}/cpu", "..", TMPFS), (f"{AT}/cpu", ".", CGROUP),
                                      (f"{AT}/cpu", "../memory", CGROUP), ("/", "sys/fs/cgroup/cpu", CGROUP)):
        found = inside.call(probes.in_directory, directory, probes.statfs, path)
        assert found["type"] == expected, (directory, path)


def test_symbolic_links(inside):
    directory = str(inside.directory)
    # The launcher's own directory is beside it: another name, removed at the end.
    links = [(f"{directory}/to-top", AT), (f"{directory}/to-cpu", f"{AT}/cpu"),
             (f"{directory}/to-link", "to-cpu"), (f"{directory}/to-up", "to-cpu/..")]
    for link, target in links:
        inside.call(os.symlink, target, link)
    try:
        for (link, _), expected in zip(links, (TMPFS, CGROUP, CGROUP, TMPFS)):
            assert kind(inside, link) == expected, link
            assert kind(inside, f"{link}/") == expected, link
        assert kind(inside, f"{directory}/to-top/memory") == CGROUP
        assert error_of(kind, inside, f"{directory}/to-cpu/tasks/") == "ENOTDIR"
        inside.call(os.symlink, "to-cpu/tasks", f"{directory}/to-file")
        assert kind(inside, f"{directory}/to-file") == CGROUP
        assert error_of(kind, inside, f"{directory}/to-file/") == "ENOTDIR"
        inside.call(os.symlink, "loop", f"{directory}/loop")
        assert error_of(kind, inside, f"{directory}/loop") == "ELOOP"
    finally:
        for name in ("to-top", "to-cpu", "to-link", "to-up", "to-file", "loop"):
            inside.call(os.unlink, f"{directory}/{name}")


@pytest.mark.parametrize("path, expected", [(AT, TMPFS), (f"{AT}/cpu", CGROUP),
                                            (f"{AT}/cpu/tasks", CGROUP)])
def test_magic_links(inside, path, expected):
    for flags in (os.O_RDONLY, os.O_PATH):
        for name in ("/proc/self/fd/{}", "/proc/thread-self/fd/{}", "/dev/fd/{}"):
            found = inside.call(probes.with_open, path, flags, probes.statfs, name)
            assert found["type"] == expected, name


def test_working_directory(inside):
    for path, expected in ((AT, TMPFS), (f"{AT}/cpu", CGROUP)):
        found = inside.call(probes.in_directory, path, probes.statfs, "/proc/self/cwd")
        assert found["type"] == expected
    assert kind(inside, f"/proc/self/root{AT}/cpu") == CGROUP
    assert kind(inside, f"/proc/self/root{AT}") == TMPFS


def test_another_process(inside):
    """Paths by way of another process' directory in /proc."""
    outer = f"/proc/{os.getpid()}/root"  # with the machine's own mounts
    assert kind(inside, f"{outer}/etc") == probes.statfs("/etc")["type"]
    assert kind(inside, f"{outer}{AT}") == probes.statfs(AT)["type"]


def test_long_paths(inside):
    long = AT + "/." * ((4095 - len(AT) - 4) // 2) + "/cpu"
    assert len(long) <= 4095
    assert kind(inside, long) == CGROUP
    slashes = AT + "/" * (4095 - len(AT) - 3) + "cpu"
    assert len(slashes) == 4095
    assert kind(inside, slashes) == CGROUP
    assert error_of(kind, inside, "/" + slashes) == "ENAMETOOLONG"
    assert error_of(kind, inside, f"{AT}/{'n' * 256}") == "ENAMETOOLONG"


def test_errors(inside):
    def statfs(path):
        return error_of(kind, inside, path)

    assert statfs("") == "ENOENT"
    assert statfs(f"{AT}/nowhere") == "ENOENT"
    assert statfs(f"{AT}/cpu/nowhere") == "ENOENT"
    for end in ("below", "", "/", ".", "..", "./"):
        assert statfs(f"{AT}/cpu/tasks/{end}") == "ENOTDIR", end
    assert error_of(inside.call, probes.statfs_at, 1, 1) == "EFAULT"
    assert error_of(inside.call, probes.statfs_to, f"{AT}/cpu", 1) == "EFAULT"
    assert error_of(inside.call, probes.statfs_to, f"{AT}/nowhere", 1) == "ENOENT"
    assert error_of(inside.call, probes.fstatfs, -1) == "EBADF"
    assert error_of(inside.call, probes.fstatfs, 1000) == "EBADF"


def test_memory_that_may_not_be_written(inside):
    """As the kernel: not where the program itself may not write, as a debugger may."""
    for protection in (0, 1):  # PROT_NONE, PROT_READ
        assert inside.call(statfs_to_protected, f"{AT}/cpu", protection) == ("EFAULT", bytes(16))


def statfs_to_protected(path, protection):
    """What is said, and what the page holds then."""
    import ctypes
    import mmap
    area = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(area))
    probes.LIBC.mprotect(ctypes.c_void_p(address), mmap.PAGESIZE, protection)
    said = error_of(probes.statfs_to, path, address)
    probes.LIBC.mprotect(ctypes.c_void_p(address), mmap.PAGESIZE, 1)
    return said, area[:16]


def test_path_at_the_end_of_a_page(inside):
    assert inside.call(statfs_at_page_end, f"{AT}/cpu") == CGROUP


def statfs_at_page_end(path):
    """statfs with a path whose last byte is the last that can be read."""
    import ctypes
    import mmap
    area = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(area))
    assert probes.LIBC.mprotect(ctypes.c_void_p(address + mmap.PAGESIZE), mmap.PAGESIZE, 0) == 0
    text = os.fsencode(path) + b"\0"
    area[mmap.PAGESIZE - len(text):mmap.PAGESIZE] = text
    buffer = ctypes.create_string_buffer(256)
    probes.syscall(probes.SYS_STATFS, ctypes.c_void_p(address + mmap.PAGESIZE - len(text)), buffer)
    return int.from_bytes(buffer.raw[:8], "little")


def test_other_filesystems(inside):
    for path in OTHERS:
        theirs, ours = inside.call(probes.statfs, path), probes.statfs(path)
        for field in ("type", "bsize", "namelen", "frsize", "flags"):
            assert theirs[field] == ours[field], (path, field)
        assert inside.call(probes.fstatfs_of, path)["type"] == ours["type"]
    fds = inside.call(os.pipe)
    assert inside.call(probes.fstatfs, fds[0])["type"] == 0x50495045  # PIPEFS_MAGIC
    for fd in fds:
        inside.call(os.close, fd)


def test_fields_equal_the_kernels(inside):
    kernel = next((path for path in (f"{AT}/{name}" for name in os.listdir(AT))
                   if probes.statfs(path)["type"] == CGROUP), None)
    if not kernel:
        pytest.skip("needs cgroup v1 in the kernel, mounted, to compare with")
    theirs, ours = probes.statfs(kernel), inside.call(probes.statfs, f"{AT}/cpu")
    for field in ("type", "bsize", "blocks", "bfree", "bavail", "files", "ffree", "namelen", "frsize"):
        assert ours[field] == theirs[field], field
    assert ours["fsid"]


def test_flags_follow_the_mount(inside):
    nosuid, nodev, noexec, relatime, valid = 2, 4, 8, 4096, 32
    flags = inside.call(probes.statfs, f"{AT}/cpu")["flags"]
    assert flags == nosuid | nodev | noexec | relatime | valid
    readonly, noatime = 1, 1024
    status, out, err = inside.call(probes.run, "unshare", "-m", "sh", "-ec", f"""
        mount -o remount,bind,ro,noatime {AT}/cpu
        {probes.COMMAND} statfs {AT}/cpu""")
    assert (status, err) == (0, "")
    assert f"'flags': {readonly | nosuid | nodev | noexec | noatime | valid}}}" in out
    assert f"'type': {CGROUP}," in out


def test_stat(inside):
    """What the tool prints, to the word."""
    assert inside.call(probes.run, "stat", "-f", "-c", "%T", AT, f"{AT}/cpu", "/proc") == \
        (0, "tmpfs\ncgroupfs\nproc\n", "")
    status, out, err = inside.call(probes.run, "df", "-a", "--output=source,fstype,target", AT, f"{AT}/cpu")
    assert (status, err) == (0, "")
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["tmpfs", "tmpfs", AT], ["cgroup", "cgroup", f"{AT}/cpu"]]
