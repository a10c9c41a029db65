# SPDX-License-Identifier: MIT
"""Copies within the kernel, as real programs make them: when one fails they read and write."""

import errno
import os
import resource
import signal
import socket
import struct

PART = 131072
# What Rust's library takes for "not so".
NOT_SO = {errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP, errno.EBADF}


def by_read(file, out):
    while part := os.read(file, PART):
        while part:
            part = part[os.write(out, part):]


def by_sendfile(file, out):
    """busybox: whatever the error."""
    try:
        while os.sendfile(out, file, None, PART):
            pass
    except OSError:
        by_read(file, out)


def by_splice(file, out):
    """uutils' cat: by way of a pipe where `out` is none."""
    reading, writing = os.pipe()
    try:
        while os.splice(file, writing, PART):
            by_read_once(reading, out)
    except OSError:
        by_read(file, out)
    finally:
        os.close(reading)
        os.close(writing)


def by_read_once(file, out):
    part = os.read(file, PART)
    assert os.write(out, part) == len(part)


def by_range(file, out):
    """Rust's std::io::copy: nothing copied is believed of sendfile only."""
    try:
        if os.copy_file_range(file, out, PART):
            return
    except OSError as error:
        if error.errno not in NOT_SO:
            raise
    by_sendfile(file, out)


WAYS = {"sendfile": by_sendfile, "splice": by_splice, "copy_file_range": by_range}


def read_of(path):
    with open(path, "rb") as file:
        return file.read()


def to_file(way, path, out):
    """What a copy into a file gives."""
    source, target = os.open(path, os.O_RDONLY), os.open(out, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        WAYS[way](source, target)
        return read_of(out)
    finally:
        os.close(source)
        os.close(target)


def to_pipe(way, path):
    source, (reading, writing) = os.open(path, os.O_RDONLY), os.pipe()
    try:
        WAYS[way](source, writing)
        os.close(writing)
        return read_of(reading)
    finally:
        os.close(source)


def said(call, *arguments):
    try:
        return call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]


def answers(path, out):
    """What each call says of a copy from one file to another one or to a pipe, and of copying nothing."""
    source, target, (reading, writing) = os.open(path, os.O_RDONLY), os.open(out, os.O_WRONLY), os.pipe()
    os.set_blocking(writing, False)
    calls = ((os.sendfile, writing, source, None, 10), (os.sendfile, writing, source, 0, 10),
             (os.splice, source, writing, 10), (os.splice, source, writing, 10, 0),
             (os.copy_file_range, source, target, 10), (os.sendfile, writing, source, 0, 0))
    try:
        return [said(*call) for call in calls]
    finally:
        for fd in (source, target, reading, writing):
            os.close(fd)


def refused(path):
    """What is said where a descriptor is wrong: not open, of a directory."""
    source, directory = os.open(path, os.O_RDONLY), os.open(os.path.dirname(path), os.O_RDONLY)
    reading, writing = os.pipe()
    try:
        return [said(os.sendfile, 999, source, None, 10), said(os.splice, source, 999, 10),
                said(os.copy_file_range, source, 999, 10), said(os.copy_file_range, 999, source, 10),
                said(os.splice, directory, writing, 10)]
    finally:
        for fd in (source, directory, reading, writing):
            os.close(fd)


def as_user(user, function, *arguments):
    """What the function gives in a process of another user, which has no rights."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            os.write(writing, repr(function(*arguments)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading, "rb") as pipe:
        return pipe.read().decode()


def deny_all(way, directory):
    """An owner of the cgroup, who may not deny devices, copies "a *:* rwm" there: what is said."""
    source = os.open(f"{directory}/devices.list", os.O_RDONLY)
    target = os.open(f"{directory}/devices.deny", os.O_WRONLY)
    return said(os.write, target, b"a *:* rwm"), said(WAYS[way], source, target)


def credentials(way, path):
    """Who the socket says has sent the copy, as seen from the sender: its numbers and its own."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    WAYS[way](os.open(path, os.O_RDONLY), ours.fileno())
    ours.close()
    message = theirs.recvmsg(4096, socket.CMSG_SPACE(12))
    return message[0] == read_of(path) and struct.unpack("3i", message[1][0][2]) == (os.getpid(),
                                                                                     os.getuid(), os.getgid())


def limited(way, path, out, size):
    """A copy by who may not make files that large: what is said, and the file's size."""
    child_signal = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        return said(to_file, way, path, out), os.stat(out).st_size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, child_signal)


class Alarm(Exception):
    """A handler has run."""


def full_pipe():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    while isinstance(said(os.write, writing, bytes(4096)), int):
        pass
    os.set_blocking(writing, True)
    return reading, writing


def interrupted(way, path):
    """Whether a handler runs while a copy waits for whoever reads."""
    def ring(*_):
        raise Alarm

    source, (reading, writing) = os.open(path, os.O_RDONLY), full_pipe()
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        WAYS[way](source, writing)
    except Alarm:
        return True
    finally:
        for fd in (source, reading, writing):
            os.close(fd)
    return False


def threads_while_copying(way, path, count, supervisor):
    """How many threads the supervisor has while so many copies wait for one reader, who never reads."""
    reading, writing = full_pipe()
    children = []
    ready, started = os.pipe()
    for _ in range(count):
        children.append(os.fork())
        if not children[-1]:
            source = os.open(path, os.O_RDONLY)
            os.write(started, b"x")
            WAYS[way](source, writing)
            os._exit(0)
    for _ in children:
        os.read(ready, 1)
    while any(state(child) not in "SD" for child in children):
        pass
    threads = len(os.listdir(f"/proc/{supervisor}/task"))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    for fd in (reading, writing, ready, started):
        os.close(fd)
    return threads


def state(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0]
