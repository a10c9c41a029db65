# SPDX-License-Identifier: MIT
"""Every way to open a table, and what else can be done with the descriptor."""

import fcntl
import os
import pathlib
import re

import pytest

import launcher
import mount_calls
import mounting
import probes
from launcher import AT, Inside, PYTHON
from processes import as_nobody, error_of
from test_ends import supervisor_of

MOUNTINFO = "/proc/self/mountinfo"
CGROUP_LINE = re.compile(" - cgroup cgroup rw,cpu$", re.M)


def ours(text):
    return bool(CGROUP_LINE.search(text))


def test_open(inside):
    assert ours(inside.call(probes.read_by_open, MOUNTINFO))
    assert ours(inside.call(probes.read_by_open, MOUNTINFO, os.O_CLOEXEC | os.O_NONBLOCK))


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_CLOEXEC, os.O_NONBLOCK,
                                   os.O_NOCTTY | os.O_CLOEXEC])
def test_low_path(inside, flags):
    """As programs that are linked to fixed addresses have it."""
    assert all(map(ours, inside.call(probes.read_by_placed_path, MOUNTINFO, True, flags)))


def test_as_cpp_opens(inside):
    """The one kind of reading that is not caught; each half of it is."""
    assert not any(map(ours, inside.call(probes.read_by_placed_path, MOUNTINFO, True, os.O_NOCTTY)))
    assert all(map(ours, inside.call(probes.read_by_placed_path, MOUNTINFO, False, os.O_NOCTTY)))


def test_openat(inside):
    assert ours(inside.call(probes.read, MOUNTINFO))
    for directory, name in (("/proc/self", "mountinfo"), ("/proc", "self/mountinfo"),
                            ("/proc/self/fd", "../mountinfo"), ("/", "proc/self/mountinfo"),
                            ("/etc", "../proc/thread-self/mountinfo")):
        assert ours(inside.call(probes.read_at, directory, name)), (directory, name)
    assert ours(inside.call(probes.in_directory, "/proc/self", probes.read, "mountinfo"))


def test_openat2(inside):
    no_symlinks, beneath, no_magic = 4, 8, 2
    for resolve in (0, no_magic):
        assert ours(inside.call(probes.read_by_openat2, "/proc", "self/mountinfo", resolve))
    for resolve in (no_symlinks, beneath, no_symlinks | beneath):
        assert ours(inside.call(probes.read_by_openat2, "/proc/self", "mountinfo", resolve))


def test_openat2_of_later_kernels(inside):
    """A longer structure, whose rest is 0."""
    assert ours(inside.call(probes.read_by_openat2, "/proc", "self/mountinfo", 0, os.O_RDONLY, 40))


def test_openat2_refusals(inside):
    """What the kernel refuses is refused: restrictions on the way, a bad structure."""
    no_symlinks, beneath = 4, 8

    def error(*arguments):
        return error_of(inside.call, probes.read_by_openat2, *arguments)

    assert error("/proc", "self/mountinfo", no_symlinks) == "ELOOP"
    assert error("/proc/self", MOUNTINFO, beneath) == "EXDEV"
    assert error("/proc/self", "mountinfo", 1 << 40) == "EINVAL"
    assert error("/proc/self", "mountinfo", 0, os.O_RDONLY, 8) == "EINVAL"
    assert error_of(inside.call, openat2_with_more, "mountinfo") == "E2BIG"


def test_openat2_as_on_the_kernels_own(inside):
    """Each restriction, and flags that there are not, on ways that only the task itself can go."""
    assert inside.call(walk_by_openat2) == walk_by_openat2()


def walk_by_openat2():
    import errno
    import itertools
    import struct
    in_root, beneath = 16, 8
    ways = ("self/mountinfo", "../proc/self/mountinfo", "/self/cgroup", "self/task/{pid}/../../cgroup",
            "self/task/{pid}/../../../../proc/self/mountinfo", "self/fd/{fd}", "self/root/proc/self/cgroup")
    hows = itertools.chain(((0, 0, resolve) for resolve in (0, 2, 4, beneath, in_root, beneath | in_root)),
                           ((1 << 40, 0, 0), (0o10000000, 0, 0), (0, 0o644, 0), (os.O_NOFOLLOW, 0, 0)))
    table = os.open("/proc/self/mountinfo", os.O_RDONLY)
    parent = os.open("/proc", os.O_PATH)
    found = {}
    for way, how in itertools.product(ways, list(hows)):
        path = way.format(pid=os.getpid(), fd=table).encode()
        try:
            os.close(probes.syscall(probes.SYS_OPENAT2, parent, path, struct.pack("QQQ", *how), 24))
            found[way, how] = "OK"
        except OSError as error:
            found[way, how] = errno.errorcode[error.errno]
    os.close(parent)
    os.close(table)
    return found


def openat2_with_more(name):
    """A newer structure whose new field is not zero."""
    how = (b"\0" * 24) + b"\1" + b"\0" * 7
    parent = os.open("/proc/self", os.O_RDONLY)
    try:
        return probes.read_fd(probes.syscall(probes.SYS_OPENAT2, parent, os.fsencode(name), how, 32))
    finally:
        os.close(parent)


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_PATH])
def test_open_files_again(inside, flags):
    for name in ("/proc/self/fd/{}", "/proc/thread-self/fd/{}", "/dev/fd/{}"):
        assert ours(inside.call(probes.with_open, MOUNTINFO, flags, probes.read, name))
    text = inside.call(probes.with_open, "/proc/self/cgroup", flags, probes.read, "/proc/self/fd/{}")
    assert text == inside.call(probes.read, "/proc/self/cgroup")
    directory = inside.call(probes.with_open, "/proc/self", os.O_PATH, probes.read,
                            "/proc/self/fd/{}/mountinfo")
    assert ours(directory)


def test_by_a_link(inside):
    """Links that are called like a table, as /etc/mtab is, and links to its directory."""
    link = f"{inside.directory}/mtab"
    for target in (MOUNTINFO, "/proc/thread-self/mountinfo"):
        inside.call(os.symlink, target, link)
        try:
            assert ours(inside.call(probes.read, link))
            assert error_of(inside.call, probes.read, link, os.O_NOFOLLOW) == "ELOOP"
        finally:
            inside.call(os.unlink, link)
    inside.call(os.symlink, "/proc/self", link)
    try:
        assert ours(inside.call(probes.read, f"{link}/mountinfo", os.O_NOFOLLOW))
    finally:
        inside.call(os.unlink, link)


def test_refusals(inside):
    def error(path, flags):
        return error_of(inside.call, probes.read, path, flags)

    for path in (MOUNTINFO, "/proc/self/cgroup", "/proc/cgroups"):
        assert error_of(inside.call, write_as_nobody, path) == "EACCES"
        assert error(path, os.O_RDONLY | os.O_DIRECTORY) == "ENOTDIR"
        assert error(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL) == "EEXIST"
        assert error(path, os.O_RDONLY | os.O_DIRECT) == "EINVAL"
    assert error("/proc/self/mountinfo/", os.O_RDONLY) == "ENOTDIR"
    assert error("/proc/self/mountinfo/below", os.O_RDONLY) == "ENOTDIR"
    assert error("/proc/999999999/cgroup", os.O_RDONLY) == "ENOENT"
    assert error("", os.O_RDONLY) == "ENOENT"
    assert error("/proc/self/" + "./" * 2047 + "cgroup", os.O_RDONLY) == "ENAMETOOLONG"
    assert ours(inside.call(probes.read, "/proc/self/" + "./" * 2036 + "mountinfo"))


def test_tables_that_are_not_for_everybody(inside):
    """mountstats of another user's process; what is for everybody stays so."""
    def error(path):
        return error_of(inside.call, open_as_nobody, path)

    assert error("/proc/1/mountstats") == error(f"/proc/{inside.call(os.getpid)}/mountstats") == "EACCES"
    assert error("/proc/1/mountinfo") is error("/proc/1/cgroup") is None
    assert "fstype proc" in inside.call(probes.read, "/proc/1/mountstats")
    status, out, _ = inside.call(probes.run, "setpriv", "--reuid", "65534", "cat", "/proc/self/mountstats")
    assert status == 0 and "fstype cgroup" in out


def open_as_nobody(path):
    as_nobody(lambda: os.close(os.open(path, os.O_RDONLY)))


def test_mounts_one_by_one(inside):
    """Whoever asks statmount and listmount goes back to the tables."""
    for number in (457, 458):
        assert error_of(inside.call, probes.syscall, number, 0, 0, 0, 0) == "ENOSYS"


def write_as_nobody(path):
    os.close(as_nobody(lambda: os.open(path, os.O_WRONLY)))


def test_close_on_exec(inside):
    for flags, expected in ((os.O_CLOEXEC, fcntl.FD_CLOEXEC), (0, 0)):
        assert inside.call(descriptor_flags, MOUNTINFO, flags) == expected


def descriptor_flags(path, flags):
    fd = probes.syscall(probes.SYS_OPENAT, probes.AT_FDCWD, os.fsencode(path), flags)
    try:
        return fcntl.fcntl(fd, fcntl.F_GETFD)
    finally:
        os.close(fd)


def test_descriptor(inside):
    """Only for reading, seekable, the lowest number that is free; the same text from its start."""
    found = inside.call(use_descriptor)
    assert found == {"mode": os.O_RDONLY, "write": "EBADF", "again": True, "part": True, "lowest": True,
                     "type": True, "rights": 0o444, "truncate": "EINVAL"}


def use_descriptor():
    import stat
    lowest = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest)
    fd = os.open(MOUNTINFO, os.O_RDONLY)
    text = os.read(fd, 1 << 20)
    os.lseek(fd, 0, os.SEEK_SET)
    about = os.fstat(fd)
    found = {"mode": fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE,
             "write": error_of(os.write, fd, b"x"), "truncate": error_of(os.ftruncate, fd, 0),
             "again": os.read(fd, 1 << 20) == text, "part": os.pread(fd, 10, 5) == text[5:15],
             "lowest": fd == lowest, "type": stat.S_ISREG(about.st_mode),
             "rights": stat.S_IMODE(about.st_mode)}
    os.close(fd)
    return found


def test_one_open_is_one_moment(inside):
    fd = inside.call(os.open, "/proc/cgroups", os.O_RDONLY)
    inside.call(os.mkdir, f"{AT}/cpu/later")
    assert "\ncpu\t2\t1\t1\n" in inside.call(os.pread, fd, 4096, 0).decode()
    assert "\ncpu\t2\t2\t1\n" in inside.call(probes.read, "/proc/cgroups")
    inside.call(os.rmdir, f"{AT}/cpu/later")
    inside.call(os.close, fd)


def test_no_descriptor_left():
    with Inside() as program:
        assert program.call(open_until_refused) == "EMFILE"


def open_until_refused():
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    fds, error = [], None
    while not error:
        try:
            fds.append(os.open(MOUNTINFO, os.O_RDONLY))
        except OSError as failure:
            error = failure
    for fd in fds:
        os.close(fd)
    import errno
    return errno.errorcode[error.errno]


def use_of(supervisor):
    """Its open files, and its memory in KiB."""
    status = pathlib.Path(f"/proc/{supervisor}/status").read_text()
    return len(os.listdir(f"/proc/{supervisor}/fd")), int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def test_nothing_leaks_in_the_supervisor(inside):
    """Hundreds of each: the supervisor has no more files open than before, and no more memory."""
    def growth():
        before = use_of(supervisor)[1]
        inside.call(ask_much, 150)
        return use_of(supervisor)[1] - before

    inside.call(ask_much, 100)
    supervisor = supervisor_of(inside.pid)
    files = use_of(supervisor)[0]
    # A thread may be there for the first time, with memory of its own; a leak of a table takes 500 each time.
    assert growth() < 250 or mounting.SANITIZED or any(growth() < 250 for _ in range(7))
    assert use_of(supervisor)[0] <= files + 2


def ask_much(times):
    for _ in range(times):
        for path in (MOUNTINFO, "/proc/thread-self/cgroup", "/proc/self/fd/0",
                     "/proc/self/nothing", "/proc/nowhere/mountinfo", "/etc/passwd"):
            error_of(probes.read_fd_of, path)
        for path in (AT, f"{AT}/cpu", "/", "/nowhere", f"{AT}/nowhere"):
            error_of(probes.statfs, path)
        error_of(probes.fstatfs, 0)
        mount_calls.mount("x", f"{AT}/cpu", None, mount_calls.MS_REMOUNT, "nonesuch")


def test_nothing_leaks_with_redirection():
    """Descriptors and memory that a redirected call needs."""
    with Inside("--redirect") as program:
        program.call(redirect_much, 100)
        supervisor = supervisor_of(program.pid)
        files, memory = use_of(supervisor)
        program.call(redirect_much, 300)
        files_after, memory_after = use_of(supervisor)
        assert files_after <= files + 2
        assert mounting.SANITIZED or memory_after < memory + 4096  # KiB; a leak of the values would be 18 MiB


def redirect_much(times):
    notifier = probes.LIBC.inotify_init1(0)
    value = os.urandom(60000)
    for _ in range(times):
        error_of(os.stat, f"{AT}/cpu")
        error_of(os.setxattr, f"{AT}/cpu", "user.large", value)
        assert probes.LIBC.inotify_add_watch(notifier, f"{AT}/cpu".encode(), 0x100) > 0
        probes.read(f"{AT}/cpu/cpu.shares")
    os.close(notifier)


def test_stdio(inside):
    """What shells and coreutils do."""
    for script in ("grep -q ' - cgroup cgroup rw,cpu$' /proc/self/mountinfo",
                   "grep -q ' - cgroup cgroup rw,cpu$' < /proc/self/mountinfo",
                   "cat < /proc/self/mountinfo | grep -q ' - cgroup cgroup rw,cpu$'",
                   "dd if=/proc/self/mountinfo status=none | grep -q ' - cgroup cgroup rw,cpu$'",
                   "findmnt -n -t cgroup | grep -q cpuacct",
                   "mount -t cgroup | grep -q cpuacct",
                   "tail -n 1 /proc/self/cgroup | grep -q 1:blkio:/"):
        assert inside.call(probes.run, "sh", "-c", script) == (0, "", ""), script


@pytest.mark.parametrize("name", ["mountinfo", "mounts", "mountstats", "cgroup", "cpuset"])
def test_as_the_kernels_own(inside, name):
    """Size, mode, owner, links, block size and the filesystem's type of the descriptor."""
    pid = inside.call(os.getpid)
    try:
        kernels = os.stat(f"/proc/{pid}/{name}")
    except FileNotFoundError:
        pytest.skip(f"this kernel has no /proc/PID/{name}")
    found = inside.call(stat_of_open, f"/proc/{pid}/{name}")
    assert found[0] == tuple(getattr(kernels, field) for field in STAT_FIELDS)
    assert found[1] == probes.PROC


STAT_FIELDS = ("st_size", "st_mode", "st_nlink", "st_uid", "st_gid", "st_blksize", "st_blocks")


def stat_of_open(path):
    fd = os.open(path, os.O_RDONLY)
    about = os.fstat(fd)
    kind = probes.fstatfs(fd)["type"]
    os.close(fd)
    return tuple(getattr(about, field) for field in STAT_FIELDS), kind


@pytest.fixture(scope="module")
def alone():
    """In a namespace into which nobody mounts."""
    with Inside(wrapper=launcher.WITHOUT_CGROUPS) as program:
        yield program


@pytest.mark.parametrize("name", ["mountinfo", "mounts"])
def test_news(alone, name):
    """poll(2) and epoll(7) tell that something was mounted, once, and wait for it: as systemd does."""
    expected = [[], "told", [], [], "told", []]
    assert alone.call(wait_for_news, name) == expected


def wait_for_news(name):
    import ctypes
    import select
    import threading
    import time
    news = select.POLLPRI | select.POLLERR
    fd = os.open(f"/proc/self/{name}", os.O_RDONLY)
    poller = select.poll()
    poller.register(fd, select.POLLPRI)

    def mount():
        time.sleep(0.1)
        assert not probes.LIBC.mount(b"none", b"/mnt", b"tmpfs", ctypes.c_ulong(0), None)
        probes.LIBC.umount2(b"/mnt", probes.MNT_DETACH)

    def wait(asked, milliseconds):
        found = asked(milliseconds)
        return "told" if found == [(fd, news)] else found

    found = [wait(poller.poll, 30)]
    thread = threading.Thread(target=mount)
    thread.start()
    found.append(wait(poller.poll, 20000))
    thread.join()
    poller.poll(0)  # the second of the two
    found += [wait(poller.poll, 30)]
    with select.epoll() as watcher:
        watcher.register(fd, select.EPOLLPRI | select.EPOLLET)
        found.append(wait(lambda ms: watcher.poll(ms / 1000), 30))
        thread = threading.Thread(target=mount)
        thread.start()
        found.append(wait(lambda ms: watcher.poll(ms / 1000), 20000))
        thread.join()
        watcher.poll(0.03)
        found.append(wait(lambda ms: watcher.poll(ms / 1000), 30))
    os.close(fd)
    return found


@pytest.mark.skipif(mounting.in_gvisor(), reason="tables are files in memory there")
@pytest.mark.parametrize("name", ["mountinfo", "mounts"])
def test_read_again(alone, name):
    """Who has a table open and reads it again from its start is told what there is now: as findmnt --poll."""
    assert alone.call(read_again, name) == [0, 1, 1, 0, 0]
    assert alone.call(read_again, name, True) == [0, 1, 1, 0, 0]


def read_again(name, at_first=False):
    """How often a mount is in the table; whether it was read at all before there was one."""
    import ctypes

    def count(step=65536):
        text = b""
        while part := os.pread(fd, step, len(text)):
            text += part
        return text.count(b" /mnt ")

    fd = os.open(f"/proc/self/{name}", os.O_RDONLY)
    found = [0 if at_first else count()]
    assert not probes.LIBC.mount(b"none", b"/mnt", b"tmpfs", ctypes.c_ulong(0), None)
    found += [count(), count(64)]
    probes.LIBC.umount2(b"/mnt", probes.MNT_DETACH)
    found += [count(), count()]
    os.close(fd)
    return found


def test_many_are_open(alone):
    """More than have their news told: each can be read, and what they need is given back."""
    alone.call(os.getpid)  # all has been started
    supervisor = supervisor_of(alone.pid)
    before = len(os.listdir(f"/proc/{supervisor}/fd"))
    held, texts = alone.call(open_many, 400)
    assert texts == 1 and held < before + 320
    assert mounting.wait_until(lambda: len(os.listdir(f"/proc/{supervisor}/fd")) <= before + 10)


def open_many(count):
    with open(f"/proc/{os.getppid()}/task/{os.getppid()}/children", encoding="ascii") as file:
        supervisor = file.read().split()[0]
    fds = [os.open(MOUNTINFO, os.O_RDONLY) for _ in range(count)]
    held = len(os.listdir(f"/proc/{supervisor}/fd"))
    texts = len({os.pread(fd, 1 << 20, 0) for fd in fds})
    for fd in fds:
        os.close(fd)
    return held, texts


def test_no_address_is_told(alone):
    """Neither by the file's name nor by its handle: nothing of where the supervisor has it."""
    link, number, handle = alone.call(names_of_open)
    assert re.fullmatch(r"/mountinfo:\d+ \(deleted\)", link)
    assert handle is None or handle < 1 << 32


def names_of_open():
    import ctypes
    import struct
    fd = os.open(MOUNTINFO, os.O_RDONLY)
    link, number = os.readlink(f"/proc/self/fd/{fd}"), os.fstat(fd).st_ino
    handle, mount = ctypes.create_string_buffer(struct.pack("Ii", 128, 0), 136), ctypes.c_int()
    failed = probes.LIBC.name_to_handle_at(fd, b"", handle, ctypes.byref(mount), 0x1000)
    os.close(fd)
    words = struct.unpack_from("II", handle.raw, 8)
    return link, number, None if failed else words[0] << 32 | words[1]


def test_without_fuse_for_us(start):
    """Where only the mount of others is to be had: the tables are files in memory, with the same content."""
    daemon = start()
    hide = "mount --bind /dev/null /dev/fuse; exec \"$@\""
    with Inside("--root", daemon.path,
                wrapper=["unshare", "-m", "--propagation", "private", "sh", "-ec", hide,
                                               "sh"]) as program:
        assert ours(program.call(probes.read, MOUNTINFO))
        assert stat_mode(program.call(os.getpid)) == program.call(stat_of_open, MOUNTINFO)[0][1]


def stat_mode(pid):
    return os.stat(f"/proc/{pid}/mountinfo").st_mode


def test_python_of_another(inside):
    """The libraries' own way: a fresh interpreter, buffered files."""
    code = "print([line.split(':')[1] for line in open('/proc/self/cgroup')][-2:])"
    assert inside.call(probes.run, PYTHON, "-c", code) == (0, "['cpu', 'blkio']\n", "")
