# SPDX-License-Identifier: MIT
"""System calls that Python 3.11 has no function for."""
import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWPID = 0x20000000
AT_FDCWD = -100


def _check(result):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def unshare(flags):
    _check(_libc.unshare(flags))


def renameat2(old, new, flags):
    _check(_libc.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags))


def die_with_parent(number):
    _check(_libc.prctl(1, int(number), 0, 0, 0))  # PR_SET_PDEATHSIG


def exit_thread():
    """Ends the calling thread only, be it the main one."""
    _libc.syscall(60 if os.uname().machine == "x86_64" else 93, 0)


def statx(path, mask=0x7FF):
    """(stx_mask, stx_blksize, stx_nlink, stx_mode, stx_size, stx_blocks)"""
    buffer = (ctypes.c_char * 256)()
    _check(_libc.statx(AT_FDCWD, os.fsencode(path), 0, mask, buffer))
    at = bytes(buffer)
    number = lambda offset, size: int.from_bytes(at[offset:offset + size], "little")  # noqa: E731
    return (number(0, 4), number(4, 4), number(16, 4), number(28, 2), number(40, 8), number(48, 8))


def inotify_init():
    return _check(_libc.inotify_init1(os.O_NONBLOCK))


def inotify_add_watch(fd, path, mask):
    return _check(_libc.inotify_add_watch(fd, os.fsencode(path), mask))


def mmap(fd, flags):
    """Maps the first page to read, and unmaps it again."""
    _libc.mmap.restype = ctypes.c_ssize_t
    at = _check(_libc.mmap(None, ctypes.c_size_t(4096), 1, flags, fd, ctypes.c_ssize_t(0)))
    _libc.munmap(ctypes.c_void_p(at), ctypes.c_size_t(4096))
