# SPDX-License-Identifier: MIT
"""Reading and writing cgroup files, one system call a time."""

import os


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def read_pieces(path, size):
    """The content, read `size` bytes at a time."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: os.read(fd, size), b"")).decode()
    finally:
        os.close(fd)


def write(path, text, flags=0):
    """One write(2), as the shell's echo does; returns what it returns."""
    fd = os.open(path, os.O_WRONLY | flags)
    try:
        return os.write(fd, text.encode() if isinstance(text, str) else text)
    finally:
        os.close(fd)


def pids(path):
    """The numbers in a cgroup.procs or tasks file, in the order they stand there."""
    return [int(line) for line in read(path).split()]


def fields(path):
    """A file of "name value" lines."""
    return {name: int(value) for name, value in map(str.split, read(path).splitlines())}
