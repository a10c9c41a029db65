# SPDX-License-Identifier: MIT
"""What the calls on an open file answer: reading in pieces, seeking, and the rarer ones."""
import fcntl
import mmap
import os
import select
import stat

from harness import libc, ops
from harness.registry import scenario


def _open(path, flags):
    try:
        os.close(os.open(path, flags))
    except OSError as error:
        return ops.errname(error)
    return "ok"


FLAGS = {
    "RDONLY": os.O_RDONLY, "WRONLY": os.O_WRONLY, "RDWR": os.O_RDWR, "both bits": 3,
    "WRONLY|TRUNC": os.O_WRONLY | os.O_TRUNC, "RDONLY|TRUNC": os.O_TRUNC,
    "WRONLY|APPEND": os.O_WRONLY | os.O_APPEND, "RDWR|CREAT": os.O_RDWR | os.O_CREAT,
    "RDWR|CREAT|TRUNC": os.O_RDWR | os.O_CREAT | os.O_TRUNC,
    "RDWR|CREAT|EXCL": os.O_RDWR | os.O_CREAT | os.O_EXCL, "DIRECTORY": os.O_DIRECTORY,
    "NOFOLLOW": os.O_NOFOLLOW, "PATH": os.O_PATH, "NONBLOCK": os.O_NONBLOCK, "SYNC": os.O_SYNC,
    "NOATIME": os.O_NOATIME, "DIRECT": os.O_DIRECT, "TMPFILE": os.O_TMPFILE | os.O_RDWR,
}


@scenario()
def io_open(stage):
    """Every way to open a file that is read and written."""
    path = stage.cgroup() + "/notify_on_release"
    for name, flags in FLAGS.items():
        stage.note(f"open {name}", _open(path, flags))
        stage.read(f"content after open {name}", path)
    stage.note("open directory to write", _open(os.path.dirname(path), os.O_RDWR))
    stage.note("open directory O_TMPFILE", _open(os.path.dirname(path), os.O_TMPFILE | os.O_RDWR))
    stage.note("open directory O_CREAT", _open(os.path.dirname(path), os.O_CREAT))
    stage.note("open file/", _open(path + "/", os.O_RDONLY))
    stage.note("open file/x", _open(path + "/x", os.O_RDONLY))
    stage.note("size after all", str(os.stat(path).st_size))


@scenario()
def io_wrong_direction(stage):
    """Writing what is read only; reading what is write only is in the contents."""
    child = stage.cgroup()
    for where, directory in (("root", stage.root), ("child", child)):
        for name in stage.names(directory):
            path = os.path.join(directory, name)
            if stat.S_IMODE(os.stat(path).st_mode) & 0o222:
                continue
            key = name if stage.hierarchy != "hugetlb" else name.replace("1GB", "<size>").replace(
                "2MB", "<size>")
            answers = [f"open {flags} {_open(path, FLAGS[flags])}"
                       for flags in ("WRONLY", "RDWR", "WRONLY|TRUNC")]
            stage.answers[f"{where}/{key}"] = ", ".join(answers +
     [f"write {ops.write(path, b'0')}"])


@scenario()
def io_positions(stage):
    """One descriptor: pieces, offsets, and a new value at offset 0."""
    path = stage.cgroup() + "/notify_on_release"
    fd = os.open(path, os.O_RDWR)
    other = os.open(path, os.O_WRONLY)
    try:
        for step in range(4):
            stage.attempt(f"read 1 byte, {step}", os.read, fd, 1)
        for offset in (0, 1, 2, 3, 100, 5000):
            stage.attempt(f"pread at {offset}", os.pread, fd, 10, offset)
        stage.attempt("pread at -1", os.pread, fd, 10, -1)
        stage.attempt("read 0 bytes", os.read, fd, 0)
        for name, offset, whence in (("set 0", 0, 0), ("set 1", 1, 0), ("set 100", 100, 0),
                                     ("set -1", -1, 0), ("cur 0", 0, 1), ("cur -1000", -1000, 1),
                                     ("end 0", 0, 2), ("end 5", 5, 2), ("end -1", -1, 2),
                                     ("data 0", 0, 3), ("hole 0", 0, 4), ("whence 9", 0, 9)):
            stage.attempt(f"lseek {name}", os.lseek, fd, offset, whence)
        os.lseek(fd, 50, 0)
        stage.attempt("read beyond the end", os.read, fd, 10)
        os.lseek(fd, 0, 0)
        stage.attempt("read before the change", os.read, fd, 10)
        stage.attempt("change through another descriptor", os.write, other, b"1")
        stage.attempt("read on", os.read, fd, 10)
        os.lseek(fd, 0, 0)
        stage.attempt("read again from 0", os.read, fd, 10)
        stage.attempt("pread again from 0", os.pread, fd, 10, 0)
        stage.attempt("write 0 through the same", os.write, fd, b"0")
        stage.attempt("position after it", os.lseek, fd, 0, 1)
        stage.attempt("pread after it", os.pread, fd, 10, 0)
        stage.attempt("second write on one descriptor", os.write, other, b"1\n")
        stage.attempt("third write on one descriptor", os.write, other, b"0\n")
        stage.attempt("pwrite at 100", os.pwrite, other, b"1", 100)
        stage.attempt("pread after pwrite", os.pread, fd, 10, 0)
        stage.attempt("pwrite at -1", os.pwrite, other, b"1", -1)
        stage.attempt("writev of two", os.writev, other, [b"0", b"\n"])
        stage.attempt("pread after writev", os.pread, fd, 10, 0)
        stage.attempt("writev of digits", os.writev, other, [b"1", b"x"])
        stage.attempt("write of nothing", os.write, other, b"")
        stage.attempt("read a write descriptor", os.read, other, 10)
        stage.attempt("refused write", os.write, other, b"x")
        stage.attempt("write after a refused one", os.write, other, b"1")
        stage.attempt("pread at last", os.pread, fd, 10, 0)
    finally:
        os.close(fd)
        os.close(other)
    appender = os.open(path, os.O_WRONLY | os.O_APPEND)
    stage.attempt("append", os.write, appender, b"0\n")
    stage.attempt("append more", os.write, appender, b"1\n")
    os.close(appender)
    stage.read("content after append", path)


@scenario()
def io_pieces(stage):
    """Every file gives the same content at any read size."""
    child = stage.cgroup()
    for name in stage.names(child):
        path = os.path.join(child, name)
        whole = ops.read(path)
        for size in (1, 7, 4096):
            if ops.read(path, size) != whole:
                stage.note(f"{name} in pieces of {size}", f"{ops.read(path, size)} not {whole}")
        stage.note(name, "has content" if whole.strip() not in ("", "''") else whole)
    stage.note("all the same", "yes")


def _with(path, flags, function):
    fd = os.open(path, flags)
    try:
        return function(fd)
    finally:
        os.close(fd)


def _poll(fd, wanted):
    poller = select.poll()
    poller.register(fd, wanted)
    return str(poller.poll(0)[0][1] if poller.poll(0) else "nothing")


def _epoll(fd):
    with select.epoll() as poller:
        poller.register(fd, select.EPOLLIN)
        return str([events for _, events in poller.poll(0)])


def _copy(fd, other):
    return os.copy_file_range(fd, other, 10)


@scenario("systemd", "cpu", "memory")
def io_rare(stage):
    """Calls that hardly a client makes on such a file."""
    child = stage.cgroup()
    path = child + "/notify_on_release"
    everything = select.POLLIN | select.POLLOUT | select.POLLPRI | select.POLLERR
    calls = {
        "poll fresh": lambda fd: _poll(fd, everything),
        "poll after read": lambda fd: (os.read(fd, 10), _poll(fd, everything))[1],
        "epoll": _epoll,
        "ioctl TCGETS": lambda fd: fcntl.ioctl(fd, 0x5401, b"\0" * 64),
        "ioctl unknown": lambda fd: fcntl.ioctl(fd, 0x1234, 0),
        "mmap shared": lambda fd: libc.mmap(fd, mmap.MAP_SHARED),
        "mmap private": lambda fd: libc.mmap(fd, mmap.MAP_PRIVATE),
        "fallocate": lambda fd: os.posix_fallocate(fd, 0, 10),
        "ftruncate 0": lambda fd: os.ftruncate(fd, 0),
        "ftruncate 100": lambda fd: os.ftruncate(fd, 100),
        "size after ftruncate 100": lambda fd: os.fstat(fd).st_size,
        "fsync": os.fsync, "fdatasync": os.fdatasync,
        "flock": lambda fd: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB),
        "lockf": lambda fd: fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB),
        "fadvise": lambda fd: os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL),
        "fchmod": lambda fd: os.fchmod(fd, 0o640),
        "fchown": lambda fd: os.fchown(fd, 0, 0),
        "mode after fchmod": lambda fd: oct(os.fstat(fd).st_mode),
        "dup reads on": lambda fd: (os.read(fd, 1), os.read(os.dup(fd), 5))[1],
        "chdir": os.fchdir, "listdir": lambda fd: str(os.listdir(fd)),
    }
    for name, call in calls.items():
        stage.note(name, ops.attempt(_with, path, os.O_RDWR, call))
    for name, call in (
            ("splice", lambda fd, pipe: os.splice(fd, pipe, 100)),
            ("sendfile", lambda fd, pipe: os.sendfile(pipe, fd, 0, 100))):
        reading, writing = os.pipe2(os.O_NONBLOCK)
        stage.note(f"{name} out", ops.attempt(
            _with, path, os.O_RDONLY, lambda fd: call(fd, writing)))
        stage.attempt(f"{name} gave", os.read, reading, 100)
        os.close(reading)
        os.close(writing)
    reading, writing = os.pipe2(os.O_NONBLOCK)
    os.write(writing, b"1")
    stage.note("splice in", ops.attempt(
        _with, path, os.O_WRONLY, lambda fd: os.splice(reading, fd, 1)))
    stage.read("content after splice", path)
    os.close(reading)
    os.close(writing)
    stage.note("copy_file_range", ops.attempt(_with, path, os.O_RDONLY, lambda fd: _with(
        child + "/cgroup.clone_children", os.O_WRONLY, lambda other: _copy(fd, other))))
    stage.note("statx file", ops.attempt(libc.statx, path))
    stage.note("statx directory", ops.attempt(libc.statx, child))
    facts = os.statvfs(child)
    stage.note("statvfs", f"bsize={facts.f_bsize} frsize={facts.f_frsize} blocks={facts.f_blocks}"
               f" bfree={facts.f_bfree} files={facts.f_files} ffree={facts.f_ffree}"
               f" namemax={facts.f_namemax}")


IN_CLOSE_NOWRITE, IN_OPEN, IN_ISDIR = 0x10, 0x20, 0x40000000  # inotify(7)


@scenario()
def io_inotify(stage):
    """What a watcher of a directory, as cAdvisor is one, gets to see."""
    child = stage.cgroup()
    watch = libc.inotify_init()
    libc.inotify_add_watch(watch, child, 0xFFF & ~0x1)  # all but IN_ACCESS
    try:
        for step, call in (
                ("mkdir", lambda: os.mkdir(child + "/a")),
                ("rename", lambda: os.rename(child + "/a", child + "/b")),
                ("chmod", lambda: os.chmod(child + "/b", 0o700)),
                ("write", lambda: ops.write(child + "/notify_on_release", b"1")),
                ("refused write", lambda: ops.write(child + "/notify_on_release", b"x")),
                ("rmdir", lambda: os.rmdir(child + "/b"))):
            call()
            stage.note(step, _events(watch))
    finally:
        os.close(watch)


def _events(watch):
    """What was seen, but for strangers (cAdvisor) who look around: no step opens a directory."""
    try:
        data = os.read(watch, 65536)
    except BlockingIOError:
        return "none"
    found = []
    while data:
        mask, length = int.from_bytes(data[4:8], "little"), int.from_bytes(data[12:16], "little")
        name = data[16:16 + length].rstrip(bytes(1)).decode()
        looks_around = mask & IN_ISDIR and mask & (IN_OPEN | IN_CLOSE_NOWRITE)
        if not looks_around and name in ("a", "b", "notify_on_release"):
            found.append(f"{mask:#x} {name}")
        data = data[16 + length:]
    return ", ".join(found)
