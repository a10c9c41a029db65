# SPDX-License-Identifier: MIT
"""Moving processes and threads between cgroups, and what the lists of them say."""
import os

from harness import libc, ops
from harness.actor import fork_child, reap_child
from harness.cast import FILES, Cast, ready, until
from harness.machine import MACHINE
from harness.registry import scenario


@scenario()
def attach_process(stage):
    cast = Cast(stage)
    a, b = ready(stage, stage.cgroup()), ready(stage, stage.cgroup())
    p, q = cast.process("p"), cast.process("q")

    def step(name, path, file, actor):
        answer = ops.write(os.path.join(path, file), str(actor.pid).encode())
        stage.note(name, f"{answer} a={cast.both(a)} b={cast.both(b)} root={cast.in_root()}")

    step("p into a", a, "cgroup.procs", p)
    step("p into a again", a, "cgroup.procs", p)
    step("q into a by tasks", a, "tasks", q)
    step("p into b", b, "cgroup.procs", p)
    stage.attempt("rmdir of a busy one", os.rmdir, b)
    os.mkdir(a + "/c")
    ready(stage, a + "/c")
    step("p into a/c", a + "/c", "cgroup.procs", p)
    stage.note("a/c", cast.both(a + "/c"))
    stage.attempt("rmdir a/c with p", os.rmdir, a + "/c")
    step("p into the root", stage.root, "cgroup.procs", p)
    stage.attempt("rmdir a/c without p", os.rmdir, a + "/c")
    p.end()
    q.end()
    stage.note("both ended", f"a={cast.both(a)} b={cast.both(b)}")
    stage.attempt("rmdir when they ended", os.rmdir, a)


PF_NO_SETAFFINITY = 0x04000000  # linux/sched.h: bound to its CPU, and to its cgroup


def _bound_kernel_thread():
    for pid in ops.read_raw("/proc/2/task/2/children").split():
        fields = ops.read_raw(f"/proc/{int(pid)}/stat").rsplit(b")", 1)[1].split()
        if int(fields[6]) & PF_NO_SETAFFINITY:
            return pid
    return None


@scenario(needs=("kthreadd",))
def attach_kernel_thread(stage):
    if not MACHINE.kthreadd:  # a pid namespace of its own: number 2 is anybody's
        return
    child = ready(stage, stage.cgroup())
    for file in FILES:
        stage.note(f"kthreadd to {file}", ops.write(os.path.join(child, file), b"2"))
        if bound := _bound_kernel_thread():
            answer = ops.write(os.path.join(child, file), bound)
            stage.note(f"one bound to a CPU to {file}", f"{answer} {Cast(stage).both(child)}")


@scenario()
def attach_threads(stage):
    cast = Cast(stage)
    a, b = ready(stage, stage.cgroup()), ready(stage, stage.cgroup())
    p, q = cast.process("p"), cast.process("q")
    one, two = cast.thread(p, "p.1"), cast.thread(p, "p.2")
    cast.thread(q, "q.1")

    def step(name, path, file, number, writer=None):
        call = writer.call if writer else lambda function, *args: function(*args)
        answer = call(ops.write, os.path.join(path, file), str(number).encode())
        stage.note(name, f"{answer} a={cast.both(a)} b={cast.both(b)} root={cast.in_root()}")

    step("one thread into a", a, "tasks", one)
    step("another into b", b, "tasks", two)
    step("leader into b", b, "tasks", p.pid)
    step("a thread's id to procs moves all", a, "cgroup.procs", one)
    step("own thread by another process", b, "tasks", two, q)
    step("0 to tasks moves the writing thread", b, "tasks", 0, q)
    step("0 to procs moves all", a, "cgroup.procs", 0, q)
    fresh = cast.thread(q, "q.2")
    stage.note("a new thread is where its process is", f"a={cast.both(a)}")
    step("it moves alone", b, "tasks", fresh)
    stage.attempt("rmdir of a thread's cgroup", os.rmdir, b)
    step("back to the root", stage.root, "cgroup.procs", q.pid)
    step("the other back", stage.root, "cgroup.procs", p.pid)
    stage.attempt("rmdir", os.rmdir, b)


def _state(pid):
    try:
        return ops.read_raw(f"/proc/{pid}/stat").rsplit(b")", 1)[1].split()[0].decode()
    except OSError:
        return "gone"


@scenario()
def attach_zombies(stage):
    cast = Cast(stage)
    a, b = ready(stage, stage.cgroup()), ready(stage, stage.cgroup())
    p, q = cast.process("p"), cast.process("q")
    ops.write(a + "/cgroup.procs", str(p.pid).encode())
    p.kill()
    until(lambda: _state(p.pid) == "Z")
    stage.note("a zombie is not listed", f"a={cast.both(a)} root={cast.in_root()}")
    for file in FILES:
        stage.note(f"zombie into b by {file}", ops.write(f"{b}/{file}", str(p.pid).encode()))
    stage.note("it is nowhere", f"a={cast.both(a)} b={cast.both(b)}")
    stage.attempt("rmdir with a zombie", os.rmdir, a)
    p.end()
    for file in FILES:
        stage.note(f"reaped into b by {file}", ops.write(f"{b}/{file}", str(p.pid).encode()))
    thread = cast.thread(q, "q.1")
    ops.write(b + "/cgroup.procs", str(q.pid).encode())
    q.send(libc.exit_thread)
    stage.note("leader is a zombie", str(until(lambda: _state(q.pid) == "Z")))
    stage.note("process of a dead leader", f"b={cast.both(b)} root={cast.in_root()}")
    c = ready(stage, stage.cgroup())
    for file, number in (("cgroup.procs", q.pid), ("tasks", q.pid), ("tasks", thread),
                         ("cgroup.procs", thread)):
        ops.write(os.path.join(stage.root, "cgroup.procs"), str(q.pid).encode())
        answer = ops.write(f"{c}/{file}", str(number).encode())
        stage.note(f"{cast.names[number]} with a dead leader to {file}",
                   f"{answer} b={cast.both(b)} c={cast.both(c)}")


@scenario()
def attach_children(stage):
    """A child starts where its parent is, and leaves when it ends."""
    cast = Cast(stage)
    a, b = ready(stage, stage.cgroup()), ready(stage, stage.cgroup())
    p = cast.process("p")
    ops.write(a + "/cgroup.procs", str(p.pid).encode())
    child = cast.name(p.call(fork_child), "child")
    stage.note("forked in a", f"a={cast.both(a)} root={cast.in_root()}")
    ops.write(b + "/cgroup.procs", str(p.pid).encode())
    stage.note("parent moved to b", f"a={cast.both(a)} b={cast.both(b)}")
    second = cast.name(p.call(fork_child), "second")
    stage.note("forked in b", f"a={cast.both(a)} b={cast.both(b)} root={cast.in_root()}")
    p.call(reap_child, child)
    stage.note("child ended", f"a={cast.both(a)} b={cast.both(b)}")
    stage.attempt("rmdir of its cgroup", os.rmdir, a)
    p.call(reap_child, second)
    stage.note("second ended", f"b={cast.both(b)}")


@scenario("cpu", "memory", "systemd")
def attach_independent(stage):
    """Each hierarchy has its own membership."""
    cast = Cast(stage)
    child = ready(stage, stage.cgroup())
    p = cast.process("p")
    others = [name for name in stage.directories if name != stage.hierarchy]
    for name in others:
        ops.write(os.path.join(stage.directories[name], "cgroup.procs"), str(p.pid).encode())
    ops.write(child + "/cgroup.procs", str(p.pid).encode())
    stage.note("here", f"{cast.both(child)} root={cast.in_root()}")
    for name in others:
        procs = os.path.join(stage.directories[name], "cgroup.procs")
        number = str(p.pid).encode()
        there = any(number in ops.read_raw(procs).split() for _ in range(5))
        stage.note(f"{name}'s root has it", str(there))
