# SPDX-License-Identifier: MIT
"""Every system call that takes a path, on a path below a base: what it says, for test_redirect.py."""

import contextlib
import ctypes
import errno
import os
import struct
import tempfile

import probes
from probes import AT_FDCWD, syscall

# System call numbers of x86_64.
SYS_STAT, SYS_LSTAT, SYS_ACCESS, SYS_RENAME, SYS_MKDIR, SYS_RMDIR, SYS_CREAT = 4, 6, 21, 82, 83, 84, 85
SYS_LINK, SYS_UNLINK, SYS_SYMLINK, SYS_READLINK, SYS_CHMOD, SYS_CHOWN, SYS_LCHOWN = 86, 87, 88, 89, 90, 92, 94
SYS_UTIME, SYS_MKNOD, SYS_UTIMES, SYS_FUTIMESAT, SYS_TRUNCATE = 132, 133, 235, 261, 76
SYS_SETXATTR, SYS_LSETXATTR, SYS_GETXATTR, SYS_LGETXATTR = 188, 189, 191, 192
SYS_LISTXATTR, SYS_LLISTXATTR, SYS_REMOVEXATTR, SYS_LREMOVEXATTR = 194, 195, 197, 198
SYS_INOTIFY_ADD_WATCH, SYS_MKDIRAT, SYS_MKNODAT, SYS_FCHOWNAT, SYS_NEWFSTATAT = 254, 258, 259, 260, 262
SYS_UNLINKAT, SYS_RENAMEAT, SYS_LINKAT = 263, 264, 265
SYS_SYMLINKAT, SYS_READLINKAT, SYS_FCHMODAT = 266, 267, 268
SYS_FACCESSAT, SYS_UTIMENSAT, SYS_RENAMEAT2, SYS_STATX, SYS_FACCESSAT2 = 269, 280, 316, 332, 439

TIMES = struct.pack("4q", 1000, 0, 2000, 0)
IN_CREATE = 0x100


def name(base, path):
    return os.fsencode(f"{base}/{path}")


def said(number, *arguments):
    """What the call returns, or its errno."""
    try:
        return syscall(number, *arguments)
    except OSError as error:
        return errno.errorcode[error.errno]


def filled(number, *before, size, after=()):
    """The same, and the bytes that it has written."""
    buffer = ctypes.create_string_buffer(b"\xff" * size, size)
    return said(number, *before, buffer, *after), buffer.raw


def opened(number, *arguments):
    """The errno, or what the new descriptor is of, and whether it goes at exec."""
    fd = said(number, *arguments)
    if isinstance(fd, str):
        return fd
    try:
        return os.fstat(fd).st_ino, os.get_inheritable(fd), read_some(fd)
    finally:
        os.close(fd)


def read_some(fd):
    try:
        return os.read(fd, 4096)
    except OSError as error:
        return errno.errorcode[error.errno]


def times_of(base, path):
    st = os.stat(name(base, path))
    return st.st_atime, st.st_mtime


def stats(base, path):
    """As seen by each call that tells of a file."""
    file, statx = name(base, path), struct.calcsize("256x")
    return (filled(SYS_STAT, file, size=144), filled(SYS_LSTAT, file, size=144),
            filled(SYS_NEWFSTATAT, AT_FDCWD, file, size=144, after=(0,)),
            filled(SYS_STATX, AT_FDCWD, file, 0, 0xfff, size=statx),
            [said(SYS_ACCESS, file, mode) for mode in range(8)],
            [said(SYS_FACCESSAT, AT_FDCWD, file, mode) for mode in range(8)],
            [said(SYS_FACCESSAT2, AT_FDCWD, file, mode, 0x200) for mode in range(8)],
            filled(SYS_READLINK, file, size=64, after=(64,)),
            filled(SYS_READLINKAT, AT_FDCWD, file, size=64, after=(64,)))


def opens(base, path):
    file = name(base, path)
    how = struct.pack("QQQ", os.O_RDONLY | os.O_CLOEXEC, 0, 0)
    flags = (os.O_RDONLY, os.O_RDONLY | os.O_CLOEXEC, os.O_WRONLY, os.O_RDWR | os.O_TRUNC,
             os.O_DIRECTORY, os.O_CREAT | os.O_WRONLY, os.O_CREAT | os.O_EXCL)
    return ([opened(probes.SYS_OPEN, file, flag, 0o644) for flag in flags],
            [opened(probes.SYS_OPENAT, AT_FDCWD, file, flag, 0o644) for flag in flags],
            opened(probes.SYS_OPENAT2, AT_FDCWD, file, how, 24), opened(SYS_CREAT, file, 0o644))


def elsewhere(file):
    """A name outside of the tree that nothing has."""
    return os.fsencode(os.path.join(tempfile.gettempdir(), file))


def directories(base, path):
    """A cgroup made, renamed and removed, and what is refused."""
    one, two = name(base, f"{path}/one"), name(base, f"{path}/two")
    with contextlib.suppress(OSError):
        os.umask(0o027)
    return (said(SYS_MKDIR, one, 0o777), os.stat(one).st_mode, said(SYS_MKDIR, one, 0o777),
            said(SYS_RENAME, one, two), said(SYS_RENAMEAT, AT_FDCWD, two, AT_FDCWD, one),
            said(SYS_RENAMEAT2, AT_FDCWD, one, AT_FDCWD, two, 0), said(SYS_RENAME, two, elsewhere("two")),
            said(SYS_RENAME, b"/etc/passwd", two), said(SYS_UNLINK, two), said(SYS_RMDIR, two),
            said(SYS_RMDIR, two), said(SYS_MKDIRAT, AT_FDCWD, two, 0o700), os.stat(two).st_mode,
            said(SYS_UNLINKAT, AT_FDCWD, two, 0), said(SYS_UNLINKAT, AT_FDCWD, two, 0x200))


def refusals(base, path):
    file, new = name(base, f"{path}/cgroup.procs"), name(base, f"{path}/new")
    return (said(SYS_LINK, file, new), said(SYS_LINKAT, AT_FDCWD, file, AT_FDCWD, new, 0),
            said(SYS_LINK, file, elsewhere("new")), said(SYS_SYMLINK, b"/etc", new),
            said(SYS_SYMLINKAT, b"/etc", AT_FDCWD, new), said(SYS_MKNOD, new, 0o100644, 0),
            said(SYS_MKNODAT, AT_FDCWD, new, 0o010644, 0), said(SYS_UNLINK, file),
            said(SYS_MKDIR, name(base, "no-such/one"), 0o755), said(SYS_RMDIR, name(base, "cpu")))


def attributes(base, path):
    file = name(base, path)
    return (said(SYS_CHMOD, file, 0o600), said(SYS_FCHMODAT, AT_FDCWD, file, 0o640),
            os.stat(file).st_mode, said(SYS_CHOWN, file, 5, 6), said(SYS_LCHOWN, file, -1, 7),
            said(SYS_FCHOWNAT, AT_FDCWD, file, 8, -1, 0), os.stat(file).st_uid, os.stat(file).st_gid,
            said(SYS_UTIME, file, struct.pack("2q", 10, 20)), times_of(base, path),
            said(SYS_UTIMES, file, TIMES), times_of(base, path),
            said(SYS_FUTIMESAT, AT_FDCWD, file, TIMES), said(SYS_UTIMENSAT, AT_FDCWD, file, TIMES, 0),
            said(SYS_UTIMENSAT, AT_FDCWD, file, None, 0), times_of(base, path)[0] > 2000,
            said(SYS_TRUNCATE, file, 0), said(SYS_CHOWN, file, 0, 0), said(SYS_CHMOD, file, 0o644))


def extended_attributes(base, path):
    file = name(base, path)
    return (said(SYS_SETXATTR, file, b"user.one", b"1234", 4, 0),
            said(SYS_LSETXATTR, file, b"trusted.two", b"", 0, 0),
            said(SYS_SETXATTR, file, b"user.one", b"1", 1, os.XATTR_CREATE),
            said(SYS_SETXATTR, file, b"user.one", 8, 4, 0),
            filled(SYS_GETXATTR, file, b"user.one", size=16, after=(16,)),
            filled(SYS_GETXATTR, file, b"user.one", size=16, after=(2,)),
            said(SYS_LGETXATTR, file, b"user.one", None, 0),
            filled(SYS_LISTXATTR, file, size=64, after=(64,)),
            filled(SYS_LLISTXATTR, file, size=64, after=(64,)),
            said(SYS_REMOVEXATTR, file, b"user.one"), said(SYS_LREMOVEXATTR, file, b"trusted.two"),
            said(SYS_REMOVEXATTR, file, b"user.one"))


def watches(base, path):
    """What inotify tells of a cgroup that comes."""
    fd = probes.LIBC.inotify_init1(os.O_NONBLOCK)
    try:
        before = said(SYS_INOTIFY_ADD_WATCH, fd, name(base, path), IN_CREATE)
        missing = said(SYS_INOTIFY_ADD_WATCH, fd, name(base, "no-such"), IN_CREATE)
        os.mkdir(name(base, f"{path}/watched"))
        os.rmdir(name(base, f"{path}/watched"))
        return before, missing, read_some(fd)
    finally:
        os.close(fd)


def faults(base, path):
    """Addresses where there is nothing, and a name that is too long."""
    file, long = name(base, path), name(base, "x" * 5000)
    return (said(SYS_STAT, file, 8), said(SYS_NEWFSTATAT, AT_FDCWD, file, 8, 0), said(SYS_UTIMES, file, 8),
            said(SYS_GETXATTR, file, 8, None, 0), said(SYS_MKDIR, long, 0o755),
            said(SYS_MKDIR, 8, 0o755), said(SYS_STAT, name(base, "no-such"), 8))


def below(base, path):
    """From a descriptor of it: its names are relative, and the kernel's to find."""
    directory = os.open(name(base, path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        return (sorted(os.listdir(directory)), opened(probes.SYS_OPENAT, directory, b"cpuset.mems", 0),
                said(SYS_MKDIRAT, directory, b"relative", 0o755),
                said(SYS_RMDIR, name(base, f"{path}/relative")))
    finally:
        os.close(directory)


def as_user(user, groups, function, *arguments):
    """In a child with other rights."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            os.setgroups(groups)
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            os.write(writing, repr(function(*arguments)).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    return probes.read_fd(reading)
