# SPDX-License-Identifier: MIT
"""System calls as they are, and what a program learns of itself by them."""

import ctypes
import errno
import os
import signal
import struct
import subprocess
import sys

HERE = os.environ.get("FUSE_CGROUP_TESTS", os.path.dirname(os.path.abspath(__file__)))
COMMAND = f"/usr/bin/python3 {HERE}/probes.py"  # FUNCTION ARGUMENT...: prints what it says
LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100

# System call numbers of x86_64; openat2's is everywhere the same.
SYS_OPEN, SYS_OPENAT, SYS_OPENAT2, SYS_STATFS, SYS_FSTATFS, SYS_GETTID = 2, 257, 437, 137, 138, 186
SYS_CLONE = 56
CLONE_NEWCGROUP, MNT_DETACH = 0x02000000, 2

TMPFS, CGROUP, CGROUP2, PROC, FUSE = 0x01021994, 0x27e0eb, 0x63677270, 0x9fa0, 0x65735546
STATFS = ("type", "bsize", "blocks", "bfree", "bavail", "files", "ffree", "fsid", "namelen",
          "frsize", "flags")


def syscall(number, *arguments):
    """The raw system call; an OSError where it fails."""
    result = LIBC.syscall(*(ctypes.c_long(part) if isinstance(part, int) else part
                            for part in (number, *arguments)))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def statfs_of(number, what):
    buffer = ctypes.create_string_buffer(b"\xff" * 256, 256)
    syscall(number, what, buffer)
    assert buffer.raw[120:] == b"\xff" * 136, "written past the structure"
    return dict(zip(STATFS, struct.unpack_from("11q", buffer.raw)))


def statfs(path):
    return statfs_of(SYS_STATFS, os.fsencode(path))


def fstatfs(fd):
    return statfs_of(SYS_FSTATFS, fd)


def fstatfs_of(path, flags=os.O_RDONLY):
    fd = os.open(path, flags)
    try:
        return fstatfs(fd)
    finally:
        os.close(fd)


def statfs_at(address, buffer):
    """statfs by addresses: 0 and 1 are never mapped."""
    return syscall(SYS_STATFS, ctypes.c_void_p(address), ctypes.c_void_p(buffer))


def statfs_to(path, address):
    return syscall(SYS_STATFS, os.fsencode(path), ctypes.c_void_p(address))


def in_directory(path, function, *arguments):
    """What the function says with this working directory."""
    before = os.open(".", os.O_RDONLY)
    os.chdir(path)
    try:
        return function(*arguments)
    finally:
        os.fchdir(before)
        os.close(before)


def in_open_directory(fd, function, *arguments):
    """The same, changed to by its descriptor."""
    before = os.open(".", os.O_RDONLY)
    os.fchdir(int(fd))
    try:
        return function(*arguments)
    finally:
        os.fchdir(before)
        os.close(before)


def with_open(path, flags, function, *arguments):
    """What the function says when {} in its arguments is the number of an open file."""
    fd = os.open(path, flags)
    try:
        return function(*(part.format(fd) if isinstance(part, str) else part
                          for part in arguments))
    finally:
        os.close(fd)


def read_fd(fd):
    try:
        return b"".join(iter(lambda: os.read(fd, 65536), b"")).decode()
    finally:
        os.close(fd)


def read(path, flags=os.O_RDONLY):
    return read_fd(syscall(SYS_OPENAT, AT_FDCWD, os.fsencode(path), flags))


def read_fd_of(path):
    """By the path, and its size only."""
    return len(read(path)) if path != "/proc/self/fd/0" else os.close(os.open(path, os.O_RDONLY))


def read_by_open(path, flags=os.O_RDONLY):
    return read_fd(syscall(SYS_OPEN, os.fsencode(path), flags))


def place_string(text, low):
    """Its address: below 4 GiB or above."""
    anonymous, private, map_32bit = 0x20, 0x2, 0x40
    LIBC.mmap.restype = ctypes.c_long
    address = LIBC.mmap(None, ctypes.c_size_t(4096), 3,
                        anonymous | private | (map_32bit if low else 0), -1, ctypes.c_long(0))
    assert address > 0 and (address < 1 << 32) == low
    ctypes.memmove(address, os.fsencode(text) + b"\0", len(os.fsencode(text)) + 1)
    return address


def read_by_placed_path(path, low, flags):
    """By open() and by openat(), the path being at a low address or not."""
    address = place_string(path, low)
    return (read_fd(syscall(SYS_OPEN, address, flags)),
            read_fd(syscall(SYS_OPENAT, AT_FDCWD, address, flags)))


def read_at(directory, name, flags=os.O_RDONLY):
    parent = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return read_fd(syscall(SYS_OPENAT, parent, os.fsencode(name), flags))
    finally:
        os.close(parent)


def read_by_openat2(directory, name, resolve=0, flags=os.O_RDONLY, size=24):
    parent = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    how = struct.pack("QQQ", flags, 0, resolve).ljust(size, b"\0")[:size]
    try:
        return read_fd(syscall(SYS_OPENAT2, parent, os.fsencode(name), how, size))
    finally:
        os.close(parent)


def run(*command, **more):
    """(status, standard output, standard error) of a command."""
    result = subprocess.run(command, text=True, capture_output=True, check=False, **more)
    return result.returncode, result.stdout, result.stderr


def mounts(mountinfo):
    """{mount point: (type, source, options of the filesystem)} of a mountinfo text."""
    found = {}
    for line in mountinfo.splitlines():
        before, after = line.split(" - ")
        kind, source, options = after.split()
        found[before.split()[4]] = (kind, source, options)
    return found


def mount_end(kind, data, target):
    """How mount(2) ends: "0", or the name of the errno; what was mounted is not left. "-": no data."""
    words = None if data == "-" else os.fsencode(data)
    if LIBC.mount(b"none", os.fsencode(target), os.fsencode(kind), 0, words):
        return errno.errorcode[ctypes.get_errno()]
    LIBC.umount2(os.fsencode(target), MNT_DETACH)
    return "0"


def mount_ends(kind, *data):
    return " ".join(mount_end(kind, words, "/mnt") for words in data)


def mount_on_descriptor(target):
    """A mount of the memory hierarchy by /proc/self/fd/N: the name of a file that was not there."""
    fd = os.open(target, os.O_PATH | os.O_DIRECTORY)
    before = set(os.listdir(target))
    if LIBC.mount(b"none", os.fsencode(f"/proc/self/fd/{fd}"), b"cgroup", 0, b"memory"):
        return errno.errorcode[ctypes.get_errno()]
    after = set(os.listdir(target))
    LIBC.umount2(os.fsencode(target), MNT_DETACH)
    return "cgroup.procs" if "cgroup.procs" in after - before else sorted(after)


def in_cloned_cgroup_namespace():
    """Where a child that clone(2) made a cgroup namespace for is in the memory hierarchy."""
    pipe = os.pipe()
    pid = syscall(SYS_CLONE, signal.SIGCHLD | CLONE_NEWCGROUP, 0, 0, 0, 0)
    if not pid:
        os.write(pipe[1], read("/proc/self/cgroup").encode())
        os._exit(0)
    os.waitpid(pid, 0)
    lines = os.read(pipe[0], 65536).decode().splitlines()
    return next(line.split(":")[2] for line in lines if line.split(":")[1] == "memory")


def while_cgroup_namespaces_live(count):
    """Where this process is in the memory hierarchy when so many children are in namespaces of their own."""
    held, known = os.pipe(), os.pipe()
    for _ in range(int(count)):
        if not os.fork():
            os.close(held[1])
            if LIBC.unshare(CLONE_NEWCGROUP) == 0:
                os.write(known[1], b"1" if read("/proc/self/cgroup") else b"")
            os.read(held[0], 1)
            os._exit(0)
    seen = b""
    while len(seen) < int(count):
        seen += os.read(known[0], int(count))
    where = next(line.split(":")[2] for line in read("/proc/self/cgroup").splitlines() if ":memory:" in line)
    os.close(held[1])
    for _ in range(int(count)):
        os.wait()
    return where


if __name__ == "__main__":
    print(globals()[sys.argv[1]](*sys.argv[2:]))
