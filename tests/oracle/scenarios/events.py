# SPDX-License-Identifier: MIT
"""cgroup.event_control: what registers, and what fires."""
import ctypes
import os
import select

from harness import ops
from harness.registry import scenario
from harness.cast import PATIENCE, Cast
from scenarios.inputs import _EVENTS

_libc = ctypes.CDLL(None, use_errno=True)


def _eventfd():
    fd = _libc.eventfd(0, os.O_CLOEXEC | os.O_NONBLOCK)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "eventfd")
    return fd


class Descriptors:
    """The descriptors that an input names; closed when done."""

    def __init__(self, child, other):
        open_ = lambda path, flags=os.O_RDONLY: os.open(path, flags)  # noqa: E731
        self.known = {
            "event": _eventfd(), "usage": open_(child + "/memory.usage_in_bytes"),
            "usagew": open_(child + "/memory.limit_in_bytes", os.O_WRONLY),
            "memsw": open_(child + "/memory.memsw.usage_in_bytes"),
            "oom": open_(child + "/memory.oom_control"),
            "pressure": open_(child + "/memory.pressure_level"),
            "limit": open_(child + "/memory.limit_in_bytes"), "stat": open_(child + "/memory.stat"),
            "null": open_(os.devnull), "other": open_(other + "/memory.usage_in_bytes"),
            "dir": open_(child)}
        self.known["closed"] = 1000

    def close(self):
        for name, fd in self.known.items():
            if name != "closed":
                os.close(fd)


@scenario("memory")
def events_grammar(stage):
    child, other = stage.cgroup(), stage.cgroup()
    fds = Descriptors(child, other)
    try:
        for text in _EVENTS:
            data = text.format(**fds.known).encode()
            stage.note(ascii(text), ops.write(child + "/cgroup.event_control", data))
    finally:
        fds.close()


def register(child, path, arguments):
    """Called in an actor: registers an eventfd of its own on a file that it opens."""
    event = _eventfd()
    try:
        control = os.open(path, os.O_RDONLY)
    except OSError as error:
        return "open " + ops.errname(error)
    try:
        data = f"{event} {control} {arguments}".encode()
        return ops.write(child + "/cgroup.event_control", data)
    finally:
        os.close(event)
        os.close(control)


def _fires(fd, seconds):
    if not select.select([fd], [], [], seconds)[0]:
        return "no"
    os.read(fd, 8)
    return "yes"


_held = []


def _grow(megabytes):
    """Called in an actor: touches so much memory."""
    _held.append(bytearray(os.urandom(1) * (megabytes << 20)))


def _shrink():
    _held.clear()


@scenario("memory")
def events_fire(stage):
    child = stage.cgroup()
    process = Cast(stage).process("p")
    event = _eventfd()
    usage = os.open(child + "/memory.usage_in_bytes", os.O_RDONLY)
    oom = os.open(child + "/memory.oom_control", os.O_RDONLY)
    try:
        control = child + "/cgroup.event_control"
        stage.note("register 32M", ops.write(control, f"{event} {usage} {32 << 20}".encode()))
        stage.note("attach", ops.write(child + "/cgroup.procs", str(process.pid).encode()))
        stage.note("fires before it is crossed", _fires(event, 0.1))
        process.call(_grow, 64)
        stage.note("fires when crossed upwards", _fires(event, PATIENCE))
        stage.note("fires again by itself", _fires(event, 0.1))
        process.call(_shrink)
        stage.note("fires when crossed downwards", _fires(event, PATIENCE))
        process.call(_grow, 8)
        stage.note("fires below it", _fires(event, 0.1))
        process.call(_grow, 64)
        stage.note("fires when crossed once more", _fires(event, PATIENCE))
        process.end()
        _fires(event, 1.5)
        oom_event = _eventfd()
        stage.note("register oom", ops.write(control, f"{oom_event} {oom}".encode()))
        stage.note("oom fires by itself", _fires(oom_event, 0.1))
        stage.attempt("rmdir", os.rmdir, child)
        stage.note("rmdir signals the threshold's", _fires(event, PATIENCE))
        stage.note("rmdir signals the oom's", _fires(oom_event, PATIENCE))
        os.close(oom_event)
    finally:
        for fd in (event, usage, oom):
            os.close(fd)
