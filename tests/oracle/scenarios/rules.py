# SPDX-License-Identifier: MIT
"""What children take over from parents, and what a root refuses; the small controllers' rules."""
import os

from harness import ops
from harness.machine import MACHINE
from harness.registry import scenario
from harness.tree import Tree


@scenario()
def rules_inheritance(stage):
    """What a child takes over from its parent when it is made."""
    tree = Tree(stage)
    tree.mkdir("a")
    tree.read("a", "notify_on_release", "cgroup.clone_children")
    tree.write(".", "notify_on_release", "1")
    tree.write(".", "cgroup.clone_children", "1")
    tree.read("a", "notify_on_release", "cgroup.clone_children")
    tree.mkdir("b")
    tree.read("b", "notify_on_release", "cgroup.clone_children")
    tree.write(".", "notify_on_release", "0")
    tree.write(".", "cgroup.clone_children", "0")
    tree.mkdir("c", "b/d")
    tree.read("c", "notify_on_release", "cgroup.clone_children")
    tree.read("b/d", "notify_on_release", "cgroup.clone_children")


@scenario("freezer")
def rules_freezer(stage):
    tree = Tree(stage, "freezer.")
    tree.mkdir("a", "a/x", "b")

    def states(step):
        for name in ".", "a", "a/x", "b":
            files = "state", "self_freezing", "parent_freezing"
            stage.note(f"{step}: {name}", " ".join(ops.read(tree.path(name, f)) for f in files))

    states("at first")
    for name, value in (("a", "FROZEN"), ("a/x", "FROZEN"), ("a", "THAWED"), (".", "FROZEN"),
                        ("a/x", "THAWED"), ("a", "THAWED"), ("a", "FROZEN"), (".", "THAWED"),
                        ("b", "THAWED"), ("a", "THAWED"), (".", "FROZEN")):
        stage.note(f"{name} < {value}", ops.write(tree.path(name, "state"), value.encode()))
        states(f"{name} {value}")
    tree.mkdir("b/new")
    tree.read("b/new", "state", "self_freezing", "parent_freezing")
    tree.write(".", "state", "THAWED")
    tree.read("b/new", "state", "self_freezing", "parent_freezing")
    tree.write("b/new", "state", "FROZEN")
    tree.rmdir("b/new")


@scenario("net_cls", "net_prio")
def rules_net(stage):
    prefix, file = {"net_cls": ("net_cls.", "classid"), "net_prio": ("net_prio.", "ifpriomap")}[
        stage.hierarchy]
    tree = Tree(stage, prefix)
    value = (lambda n: f"lo {n}") if prefix == "net_prio." else str

    def show(name):
        text = ops.read_raw(tree.path(name, file)).decode()
        lines = [line for line in text.splitlines() if line.startswith("lo ") or " " not in line]
        return " ".join(lines)

    def step(name, n):
        answer = ops.write(tree.path(name, file), value(n).encode())
        stage.note(f"{name} < {value(n)}", f"{answer} {show('.')} {show('a')}")

    os.mkdir(tree.path("a"))
    step(".", 5)
    step("a", 7)
    step(".", 8)
    tree.mkdir("b", "a/x")
    stage.note("new ones", f"{show('b')} {show('a/x')}")
    step(".", 0)
    stage.note("after 0", f"{show('b')} {show('a/x')}")
    if prefix == "net_prio.":
        numbers = [ops.read_raw(tree.path(n, "prioidx")) for n in (".", "a", "b", "a/x")]
        stage.note("prioidx are distinct", str(len(set(numbers)) == 4))
        stage.note("prioidx are numbers", str(all(n.strip().isdigit() for n in numbers)))


@scenario("blkio", needs=("disk",))
def rules_blkio(stage):
    """Weights, and one device's throttle among a child's."""
    tree = Tree(stage, "blkio.")
    tree.mkdir("a")
    tree.write("a", "bfq.weight", "300", ("a", "bfq.weight_device"))
    tree.write("a", "bfq.weight_device", "default 400", ("a", "bfq.weight"))
    tree.mkdir("a/x")
    tree.read("a/x", "bfq.weight", "bfq.weight_device")
    for file in "read_bps", "write_bps", "read_iops", "write_iops":
        path = tree.path("a", f"throttle.{file}_device")
        answer = ops.write(path, f"{MACHINE.disk} 1000".encode())
        stage.note(f"throttle {file}",
                   f"{answer} -> {ops.read(path)}".replace(MACHINE.disk, "{disk}"))
        stage.read(f"a/x {file}", tree.path("a/x", f"throttle.{file}_device"))
    ops.write(tree.path("a", "throttle.read_bps_device"), f"{MACHINE.disk} 0".encode())
    for file in "read_bps", "write_bps", "read_iops", "write_iops":
        answer = ops.read(tree.path("a", f"throttle.{file}_device"))
        stage.note(f"after read_bps 0: {file}", answer.replace(MACHINE.disk, "{disk}"))
    for file in ("throttle.io_service_bytes", "throttle.io_serviced", "bfq.io_service_bytes"):
        answer = ops.read(tree.path("a", file))
        stage.note(f"{file} of a throttled child", answer.replace(MACHINE.disk, "{disk}"))
    stage.note("reset_stats < 1", ops.write(tree.path("a", "reset_stats"), b"1"))


@scenario("hugetlb", needs=("hugepages",))
def rules_hugetlb(stage):
    tree = Tree(stage, "hugetlb.")
    tree.mkdir("a")
    tree.write(".", "2MB.limit_in_bytes", "4M")
    tree.write("a", "2MB.limit_in_bytes", "8M")
    tree.write("a", "2MB.rsvd.limit_in_bytes", "8M", ("a", "2MB.limit_in_bytes"))
    tree.mkdir("a/x")
    tree.read("a/x", "2MB.limit_in_bytes", "2MB.rsvd.limit_in_bytes")


@scenario("pids")
def rules_pids(stage):
    tree = Tree(stage, "pids.")
    tree.mkdir("a")
    tree.write(".", "max", "5")
    tree.write("a", "max", "10")
    tree.mkdir("a/x")
    tree.read("a/x", "max", "current", "peak", "events")


@scenario("cpu", "memory", "cpuset", "devices", "systemd")
def rules_root_refusals(stage):
    """Writes to a root that are refused, or that write what is there; they change nothing."""
    refused = {
        "cpu": (("cpu.cfs_quota_us", "garbage"), ("cpu.cfs_quota_us", "-1"), ("cpu.shares", "1024"),
                ("cpu.shares", "x"), ("cpu.cfs_period_us", "x"), ("cpu.idle", "x"), ("cpu.idle",
                "0"),
                ("cpu.rt_runtime_us", "x")),
        "memory": (("memory.limit_in_bytes", "-1"), ("memory.limit_in_bytes", "x"),
                   ("memory.memsw.limit_in_bytes", "-1"), ("memory.oom_control", "0"),
                   ("memory.oom_control", "2"), ("memory.swappiness", "201"),
                   ("memory.swappiness", "x"), ("memory.use_hierarchy", "0"),
                   ("memory.use_hierarchy", "1"), ("memory.move_charge_at_immigrate", "0"),
                   ("memory.kmem.tcp.limit_in_bytes", "-1"), ("memory.kmem.limit_in_bytes", "-1"),
                   ("memory.soft_limit_in_bytes", "x")),
        "cpuset": (("cpuset.cpus", "x"), ("cpuset.mems", "x"), ("cpuset.memory_pressure_enabled",
        "x"),
                   ("cpuset.sched_relax_domain_level", "-1")),
        "devices": (("devices.allow", "x"), ("devices.deny", "x"), ("devices.allow", "")),
        "systemd": (("notify_on_release", "x"), ("cgroup.procs", "x"), ("cgroup.procs", "-1"),
                    ("tasks", "x"), ("cgroup.sane_behavior", "1"), ("release_agent", "")),
    }
    for file, value in refused[stage.hierarchy]:
        stage.note(f"{file} < {value!r}", ops.write(os.path.join(stage.root, file), value.encode()))
