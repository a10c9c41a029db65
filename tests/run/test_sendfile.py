"""sendfile(2) of cgroup files, whose size is 0: as on the kernel's."""

import errno
import os

import launcher
import probes
from launcher import AT, shell

CONTENT = "a *:* rwm\n"


def copied(file, out, offset, count):
    """What was said, and where the file is then."""
    fd = os.open(file, os.O_RDONLY)
    try:
        return os.sendfile(out, fd, offset, count), os.lseek(fd, 0, os.SEEK_CUR)
    except OSError as error:
        return errno.errorcode[error.errno], os.lseek(fd, 0, os.SEEK_CUR)
    finally:
        os.close(fd)


def through_pipe(file, offset, count):
    reading, writing = os.pipe()
    answer = copied(file, writing, offset, count)
    os.close(writing)
    return *answer, probes.read_fd(reading)


def to_nobody(file):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return copied(file, writing, None, 10)
    finally:
        os.close(writing)


def test_parts(inside):
    make = f"{AT}/devices/parts"
    inside.call(os.mkdir, make)
    file = f"{make}/devices.list"
    for offset, count in ((None, 100), (None, 4), (0, 100), (2, 3), (2, 100), (10, 5), (100, 5), (None, 0)):
        start = offset or 0
        expected = CONTENT[start:start + count]
        position = 0 if offset is not None else len(expected)
        assert inside.call(through_pipe, file, offset, count) == (len(expected), position, expected)
    inside.call(os.rmdir, make)


def test_refusals(inside):
    assert inside.call(copied, f"{AT}/cpu/cpu.shares", 999, None, 10) == ("EBADF", 0)
    assert inside.call(through_pipe, f"{AT}/cpu", None, 10)[0] in ("EINVAL", "EISDIR")
    assert inside.call(to_nobody, f"{AT}/cpu/cpu.shares") == ("EPIPE", 0)  # Python ignores SIGPIPE


def test_other_files_are_left_alone(inside):
    size = os.stat("/etc/passwd").st_size
    assert inside.call(through_pipe, "/etc/passwd", None, 1 << 20)[0] == size


def test_a_signal_comes_with_a_broken_pipe():
    """`cat | head` ends quietly."""
    program = ("import os, signal, sys; signal.signal(signal.SIGPIPE, signal.SIG_DFL);"
               "r, w = os.pipe(); os.close(r);"
               f"os.sendfile(w, os.open('{AT}/cpu/cpu.shares', 0), None, 9); print('went on')")
    out = shell('"$1" -c "$2" || echo $?', launcher.PYTHON, program)
    assert out == f"{128 + 13}\n"
