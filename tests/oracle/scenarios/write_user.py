# SPDX-License-Identifier: MIT
"""What another user may write: ownership decides at open, and a few files ask at the write."""
import os

from harness import ops
from harness.actor import become
from harness.machine import MACHINE
from harness.registry import scenario
from scenarios.events import register
from scenarios.grammar import MEMBERS, writable

VALUES = {"devices.allow": "c 1:3 r", "devices.deny": "c 1:3 r", "freezer.state": "THAWED",
          "blkio.bfq.weight": "100", "blkio.bfq.weight_device": "100", "cpuset.cpus": "0",
          "cpuset.mems": "0", "net_prio.ifpriomap": "lo 1", "cpu.cfs_period_us": "100000",
          "cpu.cfs_quota_us": "100000", "cpu.rt_period_us": "1000000", "pids.max": "5",
          "memory.use_hierarchy": "1", "cgroup.event_control": "x"}


def _value(name):
    if name.startswith("blkio.throttle."):
        return f"{MACHINE.disk} 5".encode()
    return VALUES.get(name, "0").encode()


@scenario(needs=("hugepages", "disk"))
def write_user(stage):
    child = stage.cgroup()
    names = [name for name in writable(stage, child) if name not in MEMBERS]
    shared = {name: os.open(f"{child}/{name}", os.O_WRONLY) for name in names}
    user = stage.actor()
    user.call(become, 1000)
    for name in names:
        path = f"{child}/{name}"
        by_path = user.call(ops.write, path, _value(name))
        by_descriptor = user.call(ops.attempt, os.write, shared[name], _value(name))
        os.chown(path, 1000, 1000)
        own = user.call(ops.write, path, _value(name))
        stage.note(name, f"root's: {by_path}, by root's descriptor:"
                   f" {'ok' if by_descriptor.isdigit() else by_descriptor}, its own: {own}")
    for fd in shared.values():
        os.close(fd)


@scenario("systemd")
def write_user_root(stage):
    """release_agent is for those who may administrate the machine."""
    path = stage.root + "/release_agent"
    shared = os.open(path, os.O_WRONLY)
    user = stage.actor()
    user.call(become, 1000)
    stage.at_exit(os.chown, path, 0, 0)
    stage.note("of root", user.call(ops.write, path, b"/x"))
    stage.note("by root's descriptor", user.call(ops.attempt, os.write, shared, b"/x"))
    os.close(shared)
    os.chown(path, 1000, 1000)
    stage.note("of its own", user.call(ops.write, path, b"/x"))
    stage.read("content", path)


@scenario("memory")
def write_user_events(stage):
    """A user registers events in a cgroup of its own, on files that it may read."""
    child = stage.cgroup()
    user = stage.actor()
    user.call(become, 1000)
    for name in "memory.usage_in_bytes", "memory.oom_control", "memory.pressure_level":
        arguments = {"memory.usage_in_bytes": "4096", "memory.pressure_level": "low"}.get(name, "")
        path = f"{child}/{name}"
        os.chown(child + "/cgroup.event_control", 0, 0)
        stage.note(f"{name} of root", user.call(register, child, path, arguments))
        os.chown(child + "/cgroup.event_control", 1000, 1000)
        stage.note(f"{name} of its own", user.call(register, child, path, arguments))
        os.chmod(path, 0o600)
        stage.note(f"{name} not readable", user.call(register, child, path, arguments))
