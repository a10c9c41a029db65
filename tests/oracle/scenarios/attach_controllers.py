# SPDX-License-Identifier: MIT
"""What cpuset, pids and freezer say to processes that come and go."""
import os

from harness import ops
from harness.actor import fork_child, reap_child
from harness.cast import Cast, until
from harness.registry import scenario


@scenario("cpuset")
def attach_cpuset(stage):
    """A cpuset takes tasks when it has CPUs and nodes, and keeps them while it has tasks."""
    cast = Cast(stage)
    child = stage.cgroup()
    p = cast.process("p")
    cpu = ops.read_raw(stage.root + "/cpuset.cpus").split(b"-")[0].split(b",")[0].strip()

    def attach(step):
        answer = ops.write(child + "/cgroup.procs", str(p.pid).encode())
        stage.note(step, f"{answer} {cast.both(child)}")

    attach("neither")
    stage.note("tasks", ops.write(child + "/tasks", str(p.pid).encode()))
    ops.write(child + "/cpuset.cpus", cpu)
    attach("only cpus")
    ops.write(child + "/cpuset.cpus", b"\n")
    ops.write(child + "/cpuset.mems", b"0")
    attach("only mems")
    ops.write(child + "/cpuset.cpus", cpu)
    attach("both")
    for file in "cpuset.cpus", "cpuset.mems":
        stage.note(f"clear {file} with a task", ops.write(f"{child}/{file}", b"\n"))
    os.mkdir(child + "/x")
    stage.note("into a fresh grandchild", ops.write(child + "/x/tasks", str(p.pid).encode()))
    ops.write(child + "/cgroup.clone_children", b"1")
    os.mkdir(child + "/y")
    stage.note("into a cloned one", ops.write(child + "/y/tasks", str(p.pid).encode()))
    stage.note("clear the parent", ops.write(child + "/cpuset.mems", b"\n"))
    ops.write(stage.root + "/cgroup.procs", str(p.pid).encode())


@scenario("pids")
def attach_pids(stage):
    """pids.max does not stop an attach; the counts are hierarchical."""
    cast = Cast(stage)
    child = stage.cgroup()
    os.mkdir(child + "/x")
    p, q = cast.process("p"), cast.process("q")
    cast.thread(p, "p.1")

    def step(name, path, pid):
        answer = ops.write(path + "/cgroup.procs", str(pid).encode()) if pid else "ok"
        stage.note(name, answer + "".join(
            f" {where}: {ops.read(at + '/pids.current')} {ops.read(at + '/pids.peak')}"
            f" {ops.read(at + '/pids.events')}"
            for where, at in (("child", child), ("x", child + "/x"))))

    ops.write(child + "/pids.max", b"1")
    step("two tasks against a limit of 1", child, p.pid)
    step("one more", child + "/x", q.pid)
    stage.write("limit below the count", child + "/pids.max", b"0")
    step("p to x", child + "/x", p.pid)
    step("q to the root", stage.root, q.pid)
    step("p to the root", stage.root, p.pid)
    ops.write(child + "/pids.max", b"max")
    ops.write(child + "/cgroup.procs", str(q.pid).encode())
    q.end()
    step("q ended", child, None)


@scenario("freezer")
def attach_freezer(stage):
    """Freezing with processes in it."""
    cast = Cast(stage)
    a, b = stage.cgroup(), stage.cgroup()
    os.mkdir(a + "/x")
    p = cast.process("p")
    child = cast.name(p.call(fork_child), "child")

    def state(path):
        until(lambda: ops.read(path + "/freezer.state") != "'FREEZING\\n'")
        return " ".join(ops.read(f"{path}/freezer.{file}")
                        for file in ("state", "self_freezing", "parent_freezing"))

    def step(name, path, file, data):
        answer = ops.write(f"{path}/{file}", data)
        stage.note(name, f"{answer} a: {state(a)} {cast.both(a)} x: {state(a + '/x')}"
                   f" {cast.both(a + '/x')} b: {state(b)} {cast.both(b)}")

    number = str(child).encode()
    step("attach", a, "cgroup.procs", number)
    step("freeze", a, "freezer.state", b"FROZEN")
    step("move within the frozen", a + "/x", "cgroup.procs", number)
    step("thaw the child of a frozen one", a + "/x", "freezer.state", b"THAWED")
    step("move out", b, "cgroup.procs", number)
    step("move in", a, "cgroup.procs", number)
    step("thaw", a, "freezer.state", b"THAWED")
    step("freeze below", a + "/x", "freezer.state", b"FROZEN")
    step("move below", a + "/x", "cgroup.procs", number)
    step("thaw below", a + "/x", "freezer.state", b"THAWED")
    p.call(reap_child, child)
