"""Moving processes and threads between cgroups, and what the lists of them say."""
import os
import time

from harness import libc, ops
from harness.actor import become, fork_child, in_thread, reap_child, start_thread
from harness.registry import scenario

FILES = "cgroup.procs", "tasks"


def ready(stage, path):
    """Makes a cgroup able to take tasks: a cpuset needs CPUs and nodes for it."""
    if stage.hierarchy == "cpuset":
        for file in "cpuset.cpus", "cpuset.mems":
            value = ops.read_raw(os.path.join(os.path.dirname(path), file))
            ops.write(os.path.join(path, file), value)
    return path


class Cast:
    """Processes under symbolic names, and where they are."""

    def __init__(self, stage):
        self.stage = stage
        self.names = {}

    def process(self, name, **kwargs):
        """A new process, in the hierarchy's root."""
        actor = self.stage.actor(**kwargs)
        self.names[actor.pid] = name
        ops.write(os.path.join(self.stage.root, "cgroup.procs"), str(actor.pid).encode())
        return actor

    def thread(self, actor, name):
        tid = actor.call(start_thread)
        self.names[tid] = name
        return tid

    def name(self, number, name):
        self.names[number] = name
        return number

    def list(self, path, file, text=None):
        """Names in a list, "(other)" for foreign ones, and a mark when it is not in order."""
        try:
            text = ops.read_raw(os.path.join(path, file)) if text is None else text
        except OSError as error:
            return ops.errname(error)
        numbers = [int(line) for line in text.split()]
        names = [self.names.get(number, "(other)") for number in numbers]
        mark = "" if numbers == sorted(set(numbers)) else " NOT SORTED OR NOT UNIQUE"
        return f"[{' '.join(sorted(names))}]{mark}"

    def empty(self, path):
        """Moves whoever is in a cgroup to the root."""
        for number in ops.read_raw(os.path.join(path, "cgroup.procs")).split():
            ops.write(os.path.join(self.stage.root, "cgroup.procs"), number)

    def both(self, path):
        return " ".join(self.list(path, file) for file in FILES)

    def in_root(self):
        """Which of ours are in the root."""
        found = set(map(int, ops.read_raw(os.path.join(self.stage.root, "tasks")).split()))
        return f"[{' '.join(sorted(n for p, n in self.names.items() if p in found))}]"


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


INPUTS = [
    "{p}", "{p}\n", " {p}", "{p} ", "\t{p}\n\n", "\n{p}", "0x{p:x}", "0X{p:X}", "0{p:o}", "+{p}", "-{p}",
    "{p}\0", "{p}\0x", "{p}x", "{p}K", "{p}.0", "{p} {q}", "{p}\n{q}\n", "{p},{q}", "{p}-{q}", "0", "0\n",
    " 0 ", "-0", "+0", "0x0", "00", "-1", "-2", "", "\n", " ", "\t", "\0", "max", "abc", "self", "4194305",
    "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967296", "9223372036854775807",
    "18446744073709551616", "9" * 30, "{t}", "{t}\n", "{other}", "0x", "--1", "+", "-", "+ 5000000", "1e3",
    "{p:>4095}", "{p:>4096}", "{p:>4097}", "{p:0>30}x", "\u00bd",
]


@scenario()
def attach_grammar(stage):
    """At least 50 inputs for cgroup.procs and for tasks; the writer is a process w of our own."""
    cast = Cast(stage)
    writer, p, q = cast.process("w"), cast.process("p"), cast.process("q")
    thread = cast.thread(p, "p.t")
    mine = cast.thread(writer, "w.t")
    child = ready(stage, stage.cgroup())
    for file in FILES:
        for text in INPUTS:
            data = text.format(p=p.pid, q=q.pid, t=thread, other=mine).encode("latin-1")
            answer = writer.call(ops.write, os.path.join(child, file), data)
            stage.note(f"{file} < {ascii(text)}", f"{answer} {cast.both(child)}")
            cast.empty(child)
        stage.note(f"{file} < 0 from a thread", "{} {}".format(
            writer.call(in_thread, ops.write, os.path.join(child, file), b"0"), cast.both(child)))
        cast.empty(child)


@scenario(needs=("kthreadd",))
def attach_kernel_thread(stage):
    child = ready(stage, stage.cgroup())
    for file in FILES:
        stage.note(f"kthreadd to {file}", ops.write(os.path.join(child, file), b"2"))


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


def _until(condition, seconds=3):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


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
    _until(lambda: _state(p.pid) == "Z")
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
    stage.note("leader is a zombie", str(_until(lambda: _state(q.pid) == "Z")))
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


@scenario()
def attach_user(stage):
    """Whose processes another user may move, and by whose descriptor."""
    cast = Cast(stage)
    child = ready(stage, stage.cgroup())
    shared = {file: os.open(f"{child}/{file}", os.O_WRONLY) for file in FILES}
    user, same, other, root = (cast.process(name) for name in ("user", "same", "other", "root"))
    for actor, uid in ((user, 1000), (same, 1000), (other, 1001)):
        actor.call(become, uid)
    who = {"itself": user, "its own": same, "another's": other, "root's": root}

    for file in FILES:
        path = f"{child}/{file}"
        stage.note(f"{file} not its own", user.call(ops.write, path, b"0"))
        os.chown(path, 1000, 1000)
        for name, actor in who.items():
            answer = user.call(ops.write, path, str(actor.pid).encode())
            stage.note(f"{file} {name}", f"{answer} {cast.list(child, 'cgroup.procs')}")
            cast.empty(child)
        stage.note(f"{file} 0", f"{user.call(ops.write, path, b'0')} {cast.list(child, file)}")
        cast.empty(child)
        stage.note(f"{file} unknown", user.call(ops.write, path, b"4194305"))
        stage.note(f"{file} garbage", user.call(ops.write, path, b"x"))
        for name, actor in who.items():
            answer = user.call(ops.attempt, os.write, shared[file], str(actor.pid).encode())
            stage.note(f"{file} {name} by root's descriptor",
                       f"{'ok' if answer.isdigit() else answer} {cast.list(child, 'cgroup.procs')}")
            cast.empty(child)
        answer = user.call(ops.attempt, os.write, shared[file], b"0\n")
        stage.note(f"{file} 0 by root's descriptor", f"{answer} {cast.list(child, 'cgroup.procs')}")
        cast.empty(child)
    for fd in shared.values():
        os.close(fd)


@scenario()
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
        text = ops.read_raw(os.path.join(stage.directories[name], "cgroup.procs"))
        stage.note(f"{name}'s root has it", str(str(p.pid).encode() in text.split()))


@scenario("systemd")
def attach_many(stage):
    """Hundreds of processes, listed whole at any read size."""
    child = stage.cgroup()
    parent = stage.actor()
    pids = [parent.call(fork_child) for _ in range(300)]
    try:
        answers = {ops.write(child + "/cgroup.procs", str(pid).encode()) for pid in pids}
        stage.note("attached", str(answers))
        wanted = "".join(f"{pid}\n" for pid in sorted(pids)).encode()
        for file in FILES:
            for size in (7, 64, 4096, 65536):
                got = ops.read_raw(f"{child}/{file}", size)
                stage.note(f"{file} read by {size}", "all, sorted" if got == wanted else show(got))
        fd = os.open(child + "/cgroup.procs", os.O_RDONLY)
        first = os.read(fd, 100)
        stage.note("beginning", str(wanted.startswith(first) and len(first) > 0))
        os.close(fd)
    finally:
        for pid in pids:
            parent.call(reap_child, pid)
    stage.read("all ended", child + "/cgroup.procs")


def show(got):
    return f"{len(got.split())} numbers"


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
        _until(lambda: ops.read(path + "/freezer.state") != "'FREEZING\\n'", 2)
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
