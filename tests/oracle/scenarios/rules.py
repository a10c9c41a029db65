"""What a cgroup's settings may be, given its parent's, siblings' and children's."""
import os
import random

from harness import ops
from harness.registry import scenario


class Tree:
    """Cgroups by short names, and steps written "NAME/FILE < VALUE"."""

    def __init__(self, stage, prefix=""):
        self.stage = stage
        self.top = stage.cgroup()
        self.prefix = prefix

    def path(self, name, file=""):
        file = self.prefix + file if file and file[0] != "=" else file[1:]
        return os.path.join(self.top, name, file) if name != "." else os.path.join(self.top, file)

    def mkdir(self, *names):
        for name in names:
            self.stage.attempt(f"mkdir {name}", os.mkdir, self.path(name))

    def rmdir(self, *names):
        for name in names:
            self.stage.attempt(f"rmdir {name}", os.rmdir, self.path(name))

    def write(self, name, file, value, *others):
        """Notes the answer, the file's content, and that of other (name, file)."""
        path = self.path(name, file)
        answer = f"{ops.write(path, value.encode())} -> {ops.read(path)}"
        for other in others:
            answer += f", {'/'.join(other)} {ops.read(self.path(*other))}"
        self.stage.note(f"{name}/{file} < {value!r}", answer)

    def read(self, name, *files):
        for file in files:
            self.stage.read(f"{name}/{file}", self.path(name, file))


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


@scenario("cpu")
def rules_cpu(stage):
    tree = Tree(stage, "cpu.")
    tree.mkdir("a", "b", "a/x", "a/x/y")
    for name, file, value in (
            (".", "cfs_quota_us", "50000"), ("a", "cfs_quota_us", "60000"),
            ("a", "cfs_quota_us", "50000"), ("b", "cfs_quota_us", "50000"),
            (".", "cfs_quota_us", "40000"), (".", "cfs_period_us", "200000"),
            (".", "cfs_period_us", "50000"), ("a", "cfs_period_us", "50000"),
            ("a", "cfs_period_us", "200000"), ("a", "cfs_quota_us", "-1"),
            (".", "cfs_quota_us", "40000"), ("b", "cfs_quota_us", "20000"),
            (".", "cfs_quota_us", "40000"), (".", "cfs_quota_us", "-1"),
            ("a/x/y", "cfs_quota_us", "30000"), ("a/x", "cfs_quota_us", "20000"),
            ("a", "cfs_quota_us", "10000"), ("a", "cfs_quota_us", "70000"),
            (".", "cfs_quota_us", "20000"), (".", "cfs_quota_us", "35000"),
            (".", "cfs_quota_us", "-1"), ("a", "cfs_quota_us", "-1"), ("a/x/y", "cfs_quota_us", "-1"),
            ("b", "cfs_quota_us", "-1"),
            # burst with a quota
            ("a", "cfs_period_us", "100000"), ("a", "cfs_quota_us", "50000"),
            ("a", "cfs_burst_us", "50000"), ("a", "cfs_burst_us", "50001"),
            ("a", "cfs_burst_us", "30000"), ("a", "cfs_quota_us", "20000"),
            ("a", "cfs_quota_us", "30000"), ("a", "cfs_quota_us", "-1"),
            ("a", "cfs_burst_us", "17592186044415"), ("a", "cfs_quota_us", "17592186044415"),
            ("a", "cfs_burst_us", "0"), ("a", "cfs_quota_us", "17592186044415"),
            ("a", "cfs_burst_us", "1"), ("a", "cfs_quota_us", "-1"),
            # idle and shares
            ("b", "shares", "512"), ("b", "idle", "1"), ("b", "shares", "600"),
            ("b", "shares", "512"), ("b", "shares", "3"), ("b", "idle", "1"), ("b", "idle", "0"),
            ("b", "shares", "700"), ("b", "idle", "0"),
            # real time
            ("a", "rt_runtime_us", "1000"), (".", "rt_runtime_us", "100000"),
            ("a", "rt_runtime_us", "60000"), ("b", "rt_runtime_us", "50000"),
            ("b", "rt_runtime_us", "40000"), (".", "rt_runtime_us", "90000"),
            (".", "rt_period_us", "2000000"), (".", "rt_period_us", "500000"),
            ("a", "rt_period_us", "500000"), ("a", "rt_period_us", "2000000"),
            ("a/x", "rt_runtime_us", "30000"), ("a", "rt_runtime_us", "0"),
            ("a/x", "rt_runtime_us", "0"), ("a", "rt_runtime_us", "0"), ("b", "rt_runtime_us", "0"),
            ("a", "rt_runtime_us", "-1"), (".", "rt_runtime_us", "0"), ("a", "rt_runtime_us", "1")):
        tree.write(name, file, value)
    tree.read("b", "shares", "idle")
    tree.write("a", "cfs_quota_us", "50000", ("a", "stat"), ("a/x", "stat"))


@scenario("cpuset", needs=("cpus", "mems"))
def rules_cpuset(stage):
    tree = Tree(stage, "cpuset.")
    tree.mkdir("a", "b")
    every = [("a", "effective_cpus"), ("b", "effective_cpus")]
    for name, file, value in (
            ("a", "cpus", "0"), ("a", "mems", "0"), (".", "cpus", "0-1"), (".", "mems", "0"),
            ("a", "cpus", "0"), ("a", "mems", "0"), ("b", "cpus", "0-1"), (".", "cpus", "0"),
            ("b", "cpus", "1"), (".", "cpus", "0"), (".", "cpus", "\n"), (".", "mems", "\n"),
            ("a", "cpu_exclusive", "1"), (".", "cpu_exclusive", "1"), ("a", "cpu_exclusive", "1"),
            ("b", "cpus", "0-1"), ("b", "cpus", "1"), ("b", "cpu_exclusive", "1"),
            ("a", "cpus", "0-1"), (".", "cpu_exclusive", "0"), ("a", "cpu_exclusive", "0"),
            ("b", "cpu_exclusive", "0"), (".", "cpu_exclusive", "0"),
            ("b", "mems", "0"), ("a", "mem_exclusive", "1"), (".", "mem_exclusive", "1"),
            ("a", "mem_exclusive", "1"), ("b", "mems", "\n"), ("a", "mem_exclusive", "1"),
            ("b", "mems", "0"), (".", "mem_exclusive", "0"), ("a", "mem_exclusive", "0"),
            (".", "mem_exclusive", "0"), ("a", "mem_hardwall", "1"), ("a", "memory_migrate", "1"),
            ("a", "memory_spread_page", "1"), ("a", "memory_spread_slab", "1"),
            ("a", "sched_load_balance", "0"), ("a", "sched_relax_domain_level", "2")):
        tree.write(name, file, value, *every)
    tree.mkdir("a/x")
    tree.read("a/x", "cpus", "mems", "effective_cpus", "effective_mems", "cpu_exclusive",
              "mem_exclusive", "mem_hardwall", "memory_migrate", "memory_spread_page",
              "memory_spread_slab", "sched_load_balance", "sched_relax_domain_level")
    tree.write("a", "=cgroup.clone_children", "1")
    tree.mkdir("a/y", "a/y/z")
    for name in "a/y", "a/y/z":
        tree.read(name, "cpus", "mems", "=cgroup.clone_children", "memory_spread_page", "mem_hardwall",
                  "memory_migrate", "sched_load_balance")
    tree.write("a", "cpus", "1")
    tree.write("a/y/z", "cpus", "\n")
    tree.write("a/y", "cpus", "\n")
    tree.write("a", "cpus", "1", ("a/x", "effective_cpus"), ("a/y", "effective_cpus"))
    tree.write("a/x", "cpus", "0")
    tree.write("a/x", "cpus", "1")
    tree.write("a", "cpus", "\n")
    tree.rmdir("a/y/z", "a/y", "a/x")
    tree.write("a", "=cgroup.clone_children", "1")
    tree.write("a", "cpu_exclusive", "0")
    tree.write(".", "cpu_exclusive", "1")
    tree.write("b", "cpus", "0")
    tree.write("a", "cpus", "1")
    tree.write("a", "cpu_exclusive", "1")
    tree.mkdir("a/e")
    tree.read("a/e", "cpus", "mems", "cpu_exclusive")
    tree.mkdir("a/f")
    tree.read("a/f", "cpus", "mems", "cpu_exclusive")
    tree.write("a/e", "cpu_exclusive", "1")
    tree.mkdir("a/g")
    tree.read("a/g", "cpus", "mems")


@scenario("memory")
def rules_memory(stage):
    tree = Tree(stage, "memory.")
    every = [(".", "limit_in_bytes"), (".", "memsw.limit_in_bytes")]
    for file, value in (
            ("limit_in_bytes", "100M"), ("memsw.limit_in_bytes", "50M"),
            ("memsw.limit_in_bytes", "100M"), ("memsw.limit_in_bytes", "150M"),
            ("limit_in_bytes", "160M"), ("limit_in_bytes", "150M"), ("limit_in_bytes", "-1"),
            ("memsw.limit_in_bytes", "149M"), ("memsw.limit_in_bytes", "-1"),
            ("limit_in_bytes", "-1"), ("memsw.limit_in_bytes", "100M"), ("limit_in_bytes", "100M"),
            ("memsw.limit_in_bytes", "100M"), ("limit_in_bytes", "0"), ("memsw.limit_in_bytes", "0"),
            ("limit_in_bytes", "4096"), ("memsw.limit_in_bytes", "-1"), ("limit_in_bytes", "-1")):
        tree.write(".", file, value, *every)
    tree.write(".", "limit_in_bytes", "100M")
    tree.mkdir("a", "a/x")
    limit = lambda text: " ".join(  # noqa: E731
        line for line in text.split("\\n") if line.startswith("hierarchical"))
    for name, file, value in (
            ("a", "limit_in_bytes", "200M"), ("a/x", "limit_in_bytes", "50M"),
            (".", "limit_in_bytes", "80M"), ("a", "memsw.limit_in_bytes", "300M"),
            (".", "memsw.limit_in_bytes", "90M"), ("a", "soft_limit_in_bytes", "1G"),
            ("a", "use_hierarchy", "0"), ("a", "use_hierarchy", "1"), (".", "use_hierarchy", "0"),
            ("a", "swappiness", "10"), ("a", "oom_control", "1"),
            ("a", "kmem.limit_in_bytes", "10M"), ("a", "kmem.tcp.limit_in_bytes", "10M"),
            (".", "kmem.tcp.limit_in_bytes", "5M"), ("a", "kmem.tcp.limit_in_bytes", "-1"),
            ("a", "move_charge_at_immigrate", "1")):
        tree.write(name, file, value)
        for each in ("a", "a/x"):
            stage.note(f"limits in {each}/stat", limit(ops.read(tree.path(each, "stat"))))
    tree.mkdir("a/y")
    tree.read("a/y", "limit_in_bytes", "memsw.limit_in_bytes", "soft_limit_in_bytes",
              "kmem.tcp.limit_in_bytes", "swappiness", "oom_control", "use_hierarchy",
              "move_charge_at_immigrate")
    tree.write("a", "oom_control", "0")
    tree.mkdir("a/z")
    tree.read("a/z", "oom_control")
    tree.write("a", "force_empty", "0")


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
    from harness.machine import MACHINE
    tree = Tree(stage, "blkio.")
    tree.mkdir("a")
    tree.write("a", "bfq.weight", "300", ("a", "bfq.weight_device"))
    tree.write("a", "bfq.weight_device", "default 400", ("a", "bfq.weight"))
    tree.mkdir("a/x")
    tree.read("a/x", "bfq.weight", "bfq.weight_device")
    for file in "read_bps", "write_bps", "read_iops", "write_iops":
        path = tree.path("a", f"throttle.{file}_device")
        answer = ops.write(path, f"{MACHINE.disk} 1000".encode())
        stage.note(f"throttle {file}", f"{answer} -> {ops.read(path)}".replace(MACHINE.disk, "{disk}"))
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


def _rule(choice):
    kind = choice.choice("a" + "b" * 10 + "c" * 14)
    if kind == "a":
        return "a"
    major = choice.choice(["*", "1", "5", "7", "10"])
    minor = choice.choice(["*", "0", "1", "3"])
    return f"{kind} {major}:{minor} {choice.choice(['r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm'])}"


def _random_devices(stage, seed, start):
    """Random allow and deny on three levels; every list that changed after every write."""
    choice = random.Random(seed)
    tree = Tree(stage, "devices.")
    for file, rule in start:
        stage.note(f"start {file} {rule}", ops.write(tree.path(".", file), rule.encode()))
    names = ".", "a", "b", "a/x", "a/y", "b/z"
    for name in names[1:]:
        os.mkdir(tree.path(name))
    shown = {}
    for number in range(300):
        name, file, rule = choice.choice(names), choice.choice(("allow", "deny")), _rule(choice)
        answer = ops.write(tree.path(name, file), rule.encode())
        for each in names:
            text = ops.read_raw(tree.path(each, "list")).decode()
            if shown.get(each) != text:
                shown[each] = text
                answer += f"; {each}: " + ", ".join(text.splitlines())
        stage.note(f"{number} {name} {file} {rule}", answer)


@scenario("devices")
def rules_devices_random_allowed(stage):
    _random_devices(stage, 1, [])


@scenario("devices")
def rules_devices_random_denied(stage):
    _random_devices(stage, 2, [("deny", "a")] + [
        ("allow", rule) for rule in ("c 1:* rwm", "b *:* rm", "c 5:0 rw", "c *:3 w", "c 7:1 rwm")])


@scenario("devices")
def rules_devices_random_half(stage):
    _random_devices(stage, 3, [("deny", "a"), ("allow", "c *:* rwm"), ("allow", "b *:* rwm")])


@scenario("devices")
def rules_devices_effect(stage):
    """Each form of a rule against a cgroup that denies all, and one that allows all."""
    from scenarios.inputs import SPECIAL
    tree = Tree(stage, "devices.")
    for file, reset in (("allow", "deny"), ("deny", "allow")):
        for rule in SPECIAL["devices.allow"]:
            ops.write(tree.path(".", reset), b"a")
            answer = ops.write(tree.path(".", file), rule.encode())
            stage.note(f"{file} {rule!r}", f"{answer} {ops.read(tree.path('.', 'list'))}")


@scenario("devices")
def rules_devices_nesting(stage):
    """A parent's rules bound a child's, as each step of a sequence shows."""
    tree = Tree(stage, "devices.")
    tree.mkdir("a")
    lists = [("a", "list"), (".", "list")]

    def step(name, file, rule):
        answer = ops.write(tree.path(name, file), rule.encode())
        stage.note(f"{name} {file} {rule}", " ".join(
            [answer] + [ops.read(tree.path(*each)) for each in lists]))

    for name, file, rule in (
            (".", "deny", "c 1:3 w"), ("a", "allow", "c 1:3 rwm"), ("a", "allow", "c 1:3 r"),
            (".", "allow", "c 1:3 w"), ("a", "allow", "c 1:3 w"), ("a", "allow", "a"),
            ("a", "deny", "a"), ("a", "allow", "c 1:3 r"), ("a", "allow", "c *:* r"),
            (".", "deny", "a"), ("a", "deny", "a"), ("a", "allow", "c 5:0 r"),
            (".", "allow", "c 1:3 rwm"), ("a", "allow", "c 1:3 rwm"), ("a", "allow", "c 1:* r"),
            (".", "allow", "c 1:* r"), ("a", "allow", "c 1:* r"), ("a", "allow", "c 1:5 r"),
            (".", "deny", "c 1:3 m"), (".", "deny", "c 1:* r"), (".", "allow", "a"),
            ("a", "allow", "a"), (".", "deny", "b *:* rwm"), ("a", "deny", "c *:* m")):
        step(name, file, rule)
    tree.mkdir("a/x")
    tree.read("a/x", "list")
    step(".", "deny", "a")
    tree.read("a/x", "list")


@scenario("cpu", "memory", "cpuset", "devices", "systemd")
def rules_root_refusals(stage):
    """Writes to a root that are refused, or that write what is there; they change nothing."""
    refused = {
        "cpu": (("cpu.cfs_quota_us", "garbage"), ("cpu.cfs_quota_us", "-1"), ("cpu.shares", "1024"),
                ("cpu.shares", "x"), ("cpu.cfs_period_us", "x"), ("cpu.idle", "x"), ("cpu.idle", "0"),
                ("cpu.rt_runtime_us", "x")),
        "memory": (("memory.limit_in_bytes", "-1"), ("memory.limit_in_bytes", "x"),
                   ("memory.memsw.limit_in_bytes", "-1"), ("memory.oom_control", "0"),
                   ("memory.oom_control", "2"), ("memory.swappiness", "201"),
                   ("memory.swappiness", "x"), ("memory.use_hierarchy", "0"),
                   ("memory.use_hierarchy", "1"), ("memory.move_charge_at_immigrate", "0"),
                   ("memory.kmem.tcp.limit_in_bytes", "-1"), ("memory.kmem.limit_in_bytes", "-1"),
                   ("memory.soft_limit_in_bytes", "x")),
        "cpuset": (("cpuset.cpus", "x"), ("cpuset.mems", "x"), ("cpuset.memory_pressure_enabled", "x"),
                   ("cpuset.sched_relax_domain_level", "-1")),
        "devices": (("devices.allow", "x"), ("devices.deny", "x"), ("devices.allow", "")),
        "systemd": (("notify_on_release", "x"), ("cgroup.procs", "x"), ("cgroup.procs", "-1"),
                    ("tasks", "x"), ("cgroup.sane_behavior", "1"), ("release_agent", "")),
    }
    for file, value in refused[stage.hierarchy]:
        stage.note(f"{file} < {value!r}", ops.write(os.path.join(stage.root, file), value.encode()))
