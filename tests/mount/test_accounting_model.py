# SPDX-License-Identifier: MIT
"""Random lives of processes against a model: who is where, and counters that never lose anything.

On v2 all cgroups are of one threaded subtree, as only there processes may be in any of them, and their
threads in others.

MODEL_SEED repeats a run, MODEL_STEPS makes it longer.
"""

import os
import pathlib
import random
import socket
import subprocess
import sys
import time

import pytest

from files import pids, read, write
from model_versions import Legacy, Unified
from mounting import has_taskstats, in_gvisor, wait_until
from test_membership import SOURCES, mount # pylint: disable=unused-import

STEPS = int(os.environ.get("MODEL_STEPS", "80"))
REST = 0.06 # seconds; longer than what was read of a few members is used again
REST_MAX = 1.1 # longer than it ever is (accounting.h)
TICK = 10_000_000 # ns, of USER_HZ; no kernel's jiffy is longer
CUT = 2 * TICK # what /proc shows of a reaper's cutime and of its cstime is cut to whole ticks
LITTLE = TICK // 10 # what a process that is told to work takes for the telling
ACTOR = pathlib.Path(__file__).with_name("actor.py")
MAX_PROCESSES, MAX_CGROUPS = 12, 6


class Process:
    """A process that follows commands, and its tasks."""

    def __init__(self, pid, channel, parent):
        self.pid, self.channel, self.parent = pid, channel, parent
        self.tasks = {pid}

    def tell(self, *words, descriptors=()):
        command = " ".join(map(str, words)).encode()
        if descriptors:
            socket.send_fds(self.channel, [command], descriptors)
        else:
            self.channel.send(command)
        return self.channel.recv(256).decode()

    def __repr__(self):
        return f"process {self.pid}"


class Cgroup:
    """What a cgroup must hold."""

    def __init__(self, version, path, parent=None):
        self.version, self.path, self.parent = version, path, parent
        self.children = []
        self.tasks = {} # tid: tgid
        self.zombies = set()
        self.was_reset = False
        self.least = {} # figure: what it was last; it can't be less
        version.make(path)

    def below(self):
        """Children first."""
        for child in self.children:
            yield from child.below()
        yield self

    def ancestry(self):
        yield self
        if self.parent:
            yield from self.parent.ancestry()

    def count(self):
        return sum(len(cgroup.tasks) + len(cgroup.zombies) for cgroup in self.below())

    def __repr__(self):
        return str(self.path)


def start_root():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        started = subprocess.Popen([sys.executable, ACTOR, str(theirs.fileno())],
                                   pass_fds=[theirs.fileno()], start_new_session=True)
    process = Process(started.pid, ours, None)
    process.tell("burn", started.pid, 0) # Python has started, and that is no cgroup's business
    return started, process


def usage(cgroup):
    """Nanoseconds."""
    return cgroup.version.usage(cgroup.path)


def settled_usage(cgroup, rest=REST):
    time.sleep(rest)
    return usage(cgroup)


def who_is(tid):
    """name state parent group session, for the message."""
    try:
        return tid, *read(f"/proc/{tid}/stat").split()[1:6]
    except OSError as error:
        return tid, error.strerror


class Model:
    def __init__(self, version, mount, seed):
        self.version = version
        self.random = random.Random(seed)
        self.by_scan = any("accounting=scan" in option for option in getattr(mount, "options", ()))
        self.has_taskstats = not self.by_scan and has_taskstats() # they are up to a tick behind
        self.serial = 0
        self.roots = {h: Cgroup(version, mount / h / "model") for h in version.hierarchies}
        self.started, self.root = start_root()
        self.processes = [self.root]
        self.unreaped = [] # (pid, parent)
        self.place = {} # (hierarchy, tid): its cgroup
        self.done = []
        for hierarchy, cgroup in self.roots.items():
            self.do_attach(hierarchy, cgroup, self.root)
        self.used_before = int(self.root.tell("cpu"))

    # --- helpers ---

    def cgroups(self, hierarchy):
        return list(self.roots[hierarchy].below())

    def any_cgroup(self):
        hierarchy = self.random.choice(self.version.hierarchies)
        return hierarchy, self.random.choice(self.cgroups(hierarchy))

    def any_process(self):
        return self.random.choice(self.processes)

    def any_task(self):
        process = self.any_process()
        return process, self.random.choice(sorted(process.tasks))

    def put(self, hierarchy, cgroup, tid, tgid):
        old = self.place.get((hierarchy, tid))
        if old:
            del old.tasks[tid]
        self.place[hierarchy, tid] = cgroup
        cgroup.tasks[tid] = tgid

    def start_with(self, creator, tid, tgid):
        for hierarchy in self.version.hierarchies:
            self.put(hierarchy, self.place[hierarchy, creator], tid, tgid)

    def take_out(self, tid, zombie=False):
        for hierarchy in self.version.hierarchies:
            cgroup = self.place.pop((hierarchy, tid))
            del cgroup.tasks[tid]
            if zombie:
                cgroup.zombies.add(tid)

    # --- what may happen ---

    def fork(self):
        process, tid = self.any_task()
        if self.by_scan:
            tid = process.pid # /proc does not tell which of the threads forked
        if len(self.processes) >= MAX_PROCESSES:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            pid = int(process.tell("fork", tid, descriptors=[theirs.fileno()]))
        self.processes.append(Process(pid, ours, process))
        self.start_with(tid, pid, pid)

    def thread(self):
        process = self.any_process()
        tid = int(process.tell("thread"))
        process.tasks.add(tid)
        self.start_with(process.pid, tid, process.pid)

    def end_thread(self):
        process, tid = self.any_task()
        if tid != process.pid:
            process.tell("end_thread", tid)
            process.tasks.remove(tid)
            self.take_out(tid)

    def exit(self):
        process = self.any_process()
        if process is not self.root:
            self.end_process(process)
            if self.random.random() < 0.5:
                self.reap()

    def let_see(self):
        """Has all that have ended looked at, and their children."""
        read(self.roots[self.version.pids].path / "pids.current")

    def end_process(self, process):
        if self.by_scan:
            self.let_see() # an orphan never seen has no parent that /proc knows
        process.channel.send(b"exit")
        assert not process.channel.recv(1)
        process.channel.close()
        process.parent.tell("ended", process.pid)
        self.let_see() # when its own zombies are reaped nothing is left that tells by whom
        self.processes.remove(process)
        for tid in process.tasks:
            self.take_out(tid, zombie=tid == process.pid)
        self.unreaped = [(pid, self.root if parent is process else parent)
                         for pid, parent in self.unreaped] + [(process.pid, process.parent)]
        for child in self.processes:
            if child.parent is process:
                child.parent = self.root

    def reap(self):
        if self.unreaped:
            pid, parent = self.unreaped.pop()
            parent.tell("reap", pid)
            for hierarchy in self.version.hierarchies:
                for cgroup in self.cgroups(hierarchy):
                    cgroup.zombies.discard(pid)

    def do_attach(self, hierarchy, cgroup, process):
        write(cgroup.path / "cgroup.procs", str(process.pid))
        for tid in process.tasks:
            self.put(hierarchy, cgroup, tid, process.pid)

    def attach(self):
        hierarchy, cgroup = self.any_cgroup()
        before = settled_usage(cgroup, REST_MAX) if hierarchy == self.version.cpu else 0
        self.do_attach(hierarchy, cgroup, self.any_process())
        if hierarchy == self.version.cpu:
            assert settled_usage(cgroup) - before < TICK // 2, "the past has moved along"

    def attach_thread(self):
        hierarchy, cgroup = self.any_cgroup()
        process, tid = self.any_task()
        write(cgroup.path / self.version.threads, str(tid))
        self.put(hierarchy, cgroup, tid, process.pid)

    def mkdir(self):
        hierarchy, parent = self.any_cgroup()
        if len(self.cgroups(hierarchy)) < MAX_CGROUPS:
            self.serial += 1
            parent.children.append(Cgroup(self.version, parent.path / f"g{self.serial}", parent))

    def rmdir(self):
        hierarchy, cgroup = self.any_cgroup()
        if cgroup.parent is None:
            return
        if cgroup.tasks or cgroup.children:
            with pytest.raises(OSError, match="busy"):
                cgroup.path.rmdir()
            return
        self.look_at(hierarchy, cgroup)
        self.look_at(hierarchy, cgroup.parent)
        cgroup.path.rmdir()
        cgroup.parent.children.remove(cgroup)
        cgroup.parent.zombies |= cgroup.zombies
        self.look_at(hierarchy, cgroup.parent)

    def burns(self, cgroup, work, slack):
        """Runs work(), which says what it used; the cgroup and all above it must have it."""
        time.sleep(REST)
        before = [usage(above) for above in cgroup.ancestry()]
        used = work()
        time.sleep(REST)
        for above, old in zip(cgroup.ancestry(), before):
            wait_until(lambda: usage(above) - old >= used - slack, REST_MAX)
            grown = usage(above) - old
            assert grown >= used - slack, f"{above}: {grown} of {used}"

    def burn(self):
        process, tid = self.any_task()
        milliseconds = self.random.randint(10, 30)
        self.burns(self.place[self.version.cpu, tid],
                   lambda: int(process.tell("burn", tid, milliseconds)), LITTLE)

    def short(self):
        process = self.any_process()
        milliseconds = self.random.randint(30, 50)

        def work():
            process.tell("short", milliseconds)
            return milliseconds * 1000000

        self.burns(self.place[self.version.cpu, process.pid], work,
                   TICK if self.has_taskstats else CUT)

    def fault(self):
        self.any_process().tell("fault", self.random.randint(1, 1000))

    def write(self):
        self.any_process().tell("write", self.random.choice([4, 64, 256]))

    def reset(self):
        cgroup = self.random.choice(self.cgroups("cpuacct"))
        if cgroup.parent is None:
            return # check_total() wants to know
        others = [(other, usage(other)) for other in self.cgroups("cpuacct") if other is not cgroup]
        write(cgroup.path / "cpuacct.usage", "0")
        assert usage(cgroup) < TICK // 2
        for other, value in others:
            assert usage(other) >= value
        cgroup.least, cgroup.was_reset = {}, True

    # --- what must be so ---

    def look_at(self, hierarchy, cgroup):
        """Counters never go back."""
        figures = self.version.figures(hierarchy, cgroup.path)
        for name, (value, _) in figures.items():
            least = cgroup.least.get(name, 0)
            assert value >= least, f"{cgroup}: {name} went from {least} to {value}"
            cgroup.least[name] = value
        return figures

    def check_counters(self, hierarchy):
        seen = {}
        for cgroup in self.cgroups(hierarchy): # a child before its parent
            seen[cgroup] = self.look_at(hierarchy, cgroup)
            for name, (value, sums) in seen[cgroup].items():
                if sums and not cgroup.was_reset:
                    parts = sum(seen[child][name][0] for child in cgroup.children)
                    assert value >= parts, f"{cgroup}: {name} is less than its children's"

    def check_percpu(self):
        if self.version is Unified:
            return
        for cgroup in self.cgroups("cpuacct"):
            first = usage(cgroup)
            parts = sum(map(int, read(cgroup.path / "cpuacct.usage_percpu").split()))
            assert first <= parts <= usage(cgroup)

    def check_members(self):
        for hierarchy in self.version.hierarchies:
            for cgroup in self.cgroups(hierarchy):
                tasks = sorted(pids(cgroup.path / self.version.threads))
                assert tasks == sorted(cgroup.tasks), \
                    f"{cgroup}: {[who_is(tid) for tid in set(tasks) ^ set(cgroup.tasks)]}"
                self.check_processes(cgroup)
        for cgroup in self.cgroups(self.version.pids):
            assert int(read(cgroup.path / "pids.current")) == cgroup.count(), cgroup

    def check_processes(self, cgroup):
        listed = {cgroup}
        if self.version is Unified: # a threaded subtree's are in the list of its top alone
            listed = set(cgroup.below()) if cgroup.parent is None else set()
        if listed:
            processes = {pid for each in listed for pid in each.tasks.values()}
            assert sorted(pids(cgroup.path / "cgroup.procs")) == sorted(processes), cgroup

    def check_total(self):
        """All that ever lived here used what their parents were told when they waited for them."""
        while len(self.processes) > 1:
            self.end_process(self.processes[-1])
        while self.unreaped:
            self.reap()
        time.sleep(REST_MAX)
        shown = usage(self.roots[self.version.cpu])
        used = int(self.root.tell("cpu")) - self.used_before
        print(f"used {used} ns, shown {shown} ns: {100 * (shown - used) / used:+.1f} %")
        sampled = used * 0.1 + CUT if in_gvisor() else 0 # whoever runs when its clock ticks has run for 10 ms
        assert -CUT - LITTLE - sampled < shown - used < LITTLE + sampled

    def check(self):
        self.check_members()
        for hierarchy in self.version.hierarchies:
            self.check_counters(hierarchy)
        self.check_percpu()

    OPERATIONS = {"fork": 6, "thread": 3, "end_thread": 2, "exit": 3, "reap": 1, "attach": 5,
                  "attach_thread": 4, "mkdir": 4, "rmdir": 4, "burn": 4, "short": 3, "fault": 3,
                  "write": 2, "reset": 1}

    def step(self):
        operations = {name: weight for name, weight in self.OPERATIONS.items()
                      if name not in self.version.left_out}
        name, = self.random.choices(list(operations), operations.values())
        self.done.append(name)
        getattr(self, name)()

    def end(self):
        for process in self.processes:
            process.channel.close() # it exits
        self.started.wait()


def live(version, mount):
    seed = int(os.environ.get("MODEL_SEED", "0")) or random.randrange(1, 1 << 32)
    print(f"MODEL_SEED={seed}")
    model = Model(version, mount, seed)
    try:
        for number in range(STEPS):
            model.step()
            if number % 5 == 4:
                model.check()
        model.check()
        model.check_total()
    finally:
        print(*model.done)
        model.end()


def test_random_lives(mount):
    live(Legacy, mount)


@pytest.mark.daemon
@pytest.mark.parametrize("source", SOURCES)
def test_random_lives_on_v2(start, source):
    live(Unified, start("-o", f"accounting={source},v2"))
