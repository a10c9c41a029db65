# SPDX-License-Identifier: MIT
"""Numbers are those of the reader's or writer's own pid namespace."""
import os
import signal
import time

from harness import libc, ops
from harness.registry import scenario
from harness.cast import Cast, ready


def _enter():
    """Start of an actor: goes on as process 1 of a pid namespace of its own."""
    libc.unshare(libc.CLONE_NEWPID)
    inner = os.fork()
    if inner:
        os.waitpid(inner, 0)
        os._exit(0)
    libc.die_with_parent(signal.SIGKILL)


def _fork_here():
    """Called in an actor: one more process of its namespace; its number there."""
    pid = os.fork()
    if pid == 0:
        libc.die_with_parent(signal.SIGKILL)
        while True:
            time.sleep(1000)
    return pid


def _children(pid):
    return [int(each) for each in ops.read_raw(f"/proc/{pid}/task/{pid}/children").split()]


@scenario("systemd", "cpu", "memory", "freezer")
def attach_pid_namespace(stage):
    cast = Cast(stage)
    child = ready(stage, stage.cgroup())
    outside = cast.process("outside")
    inside = stage.actor(start=_enter)
    outer = _children(inside.child)[0]
    cast.name(outer, "inside")
    second = inside.call(_fork_here)
    cast.name(_children(outer)[0], "second")
    for number in outer, _children(outer)[0]:
        ops.write(os.path.join(stage.root, "cgroup.procs"), str(number).encode())
    stage.note("its own number", f"{inside.pid} {second}")
    procs = child + "/cgroup.procs"

    def step(name, actor, data):
        answer = actor(ops.write, procs, data)
        stage.note(name, f"{answer} outside sees {cast.both(child)} inside sees"
                   f" {inside.call(ops.read, procs)} {inside.call(ops.read, child + '/tasks')}")

    here = lambda function, *args: function(*args)  # noqa: E731
    step("outside in", here, str(outside.pid).encode())
    step("2 from inside", inside.call, b"2")
    step("1 from inside", inside.call, b"1")
    step("an outer number from inside", inside.call, str(outer).encode())
    ops.write(os.path.join(stage.root, "cgroup.procs"), str(outer).encode())
    step("0 from inside", inside.call, b"0")
    step("its outer number from outside", here, str(outer).encode())
    stage.note("inside, a list read by 1", inside.call(ops.read, procs, 1))
    passed = os.open(procs, os.O_RDONLY)
    try:
        late = stage.actor(start=_enter)
        late.call(ops.write, procs, b"1")
        stage.note("a descriptor opened outside, read inside", late.call(_read_at_0, passed))
    finally:
        os.close(passed)


def _read_at_0(fd):
    return ops.attempt(os.pread, fd, 4096, 0)
