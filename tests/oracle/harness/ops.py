# SPDX-License-Identifier: MIT
"""File operations whose answer, result or errno name, is a short string fit for comparison."""
import errno
import os


def errname(error):
    return errno.errorcode.get(error.errno, str(error.errno))


def attempt(function, *args, **kwargs):
    """What a call answers: "ok", its result, or the name of its errno."""
    try:
        result = function(*args, **kwargs)
    except OSError as error:
        return errname(error)
    return "ok" if result is None else show(result)


def show(value):
    """A value on one line."""
    if isinstance(value, bytes):
        return ascii(value.decode("latin-1"))
    return value if isinstance(value, str) else repr(value)


def write(path, data, flags=os.O_WRONLY):
    """One open, one write, one close."""
    try:
        fd = os.open(path, flags)
    except OSError as error:
        return "open " + errname(error)
    try:
        count = os.write(fd, data)
        answer = "ok" if count == len(data) else f"short write of {count}"
    except OSError as error:
        answer = errname(error)
    try:
        os.close(fd)
    except OSError as error:
        answer += " close " + errname(error)
    return answer


def read_raw(path, chunk=65536):
    """All bytes of a file, read in pieces of `chunk`; raises OSError."""
    fd = os.open(path, os.O_RDONLY)
    try:
        pieces = []
        while piece := os.read(fd, chunk):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(fd)


def read(path, chunk=65536):
    """What reading a file answers: its content, or an errno and where it came from."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError as error:
        return "open " + errname(error)
    try:
        pieces = []
        while piece := os.read(fd, chunk):
            pieces.append(piece)
        return show(b"".join(pieces))
    except OSError as error:
        return errname(error)
    finally:
        os.close(fd)
