# SPDX-License-Identifier: MIT
"""Eventfds, and their registration in cgroup.event_control."""

import ctypes
import os
import select

from files import write
from mounting import PATIENCE

EFD_NONBLOCK = 0o4000


class Event:
    """An eventfd."""

    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.eventfd(0, EFD_NONBLOCK)
        assert self.fd >= 0

    def fires_within(self, seconds=PATIENCE):
        """How often it was signalled, waiting for the first time."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return 0
        return int.from_bytes(os.read(self.fd, 8), "little")

    def close(self):
        os.close(self.fd)


def register(memory, event, file, argument="", fd=None):
    """Registers for a file of the cgroup; returns write(2)'s result."""
    watched = os.open(memory / file, os.O_RDONLY)
    try:
        number = event.fd if fd is None else fd
        return write(memory / "cgroup.event_control", f"{number} {watched} {argument}".rstrip())
    finally:
        os.close(watched)
