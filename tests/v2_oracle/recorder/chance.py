# SPDX-License-Identifier: MIT
"""Random sequences by a seed: each step, its answer, and what any file of any cgroup says differently then.

CHANCE="SEED WALKS STEPS" in the environment makes others than those that are kept."""
import os
import random
import signal
import threading
import time

from stage import LIBC, attempt, become, fork_child, fork_exit, name_of, scenario, write

PLACES = ("a", "b", "a/a", "a/b", "b/a", "b/b", "a/a/a", "a/a/b", "a/b/a", "b/a/a", "b/a/b")
CONTROLLERS = ("cpu", "memory", "pids", "io", "cpuset", "hugetlb")
threads = {}


# in an actor

def start_thread():
    """One that can be ended alone; its number."""
    ready, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (ready.set(), stop.wait()), daemon=True)
    thread.start()
    ready.wait()
    threads[thread.native_id] = thread, stop
    return thread.native_id


def end_thread(tid):
    thread, stop = threads.pop(tid)
    stop.set()
    thread.join()
    until(lambda: not os.path.exists(f"/proc/self/task/{tid}"))


def end_child(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def reap(pid):
    return os.waitpid(pid, os.WNOHANG) != (0, 0)


def read_once(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, 4096).decode()
    finally:
        os.close(fd)


def until(happened, patience=30):
    end = time.monotonic() + patience
    while not happened() and time.monotonic() < end:
        time.sleep(0.005)


class Program:
    """A random walk. `files` are those whose changes are noted, of every cgroup; `moves` what may be done."""

    def __init__(self, st, walk, files, moves):
        self.st, self.files, self.walk = st, files, walk
        self.random = random.Random(f"{SEED} {walk}")
        self.moves = [each for each, weight in moves.items() for _ in range(weight)]
        self.seen = {}
        self.tasks = {}  # a thread's or process' name: (actor, number, whether it is a process)
        self.count = 0
        self.idle = set()  # who is frozen, or a hand
        self.hand = None  # an actor that does the next step; None: the recorder

    def places(self):
        return [each for each in PLACES if os.path.isdir(self.st.path(each))]

    def place(self):
        return self.random.choice(["", *self.places()])

    def name(self, letter, number):
        self.count += 1
        return self.st.know(number, f"{letter}{self.count}") and f"{letter}{self.count}"

    def look(self):
        """What changed, and no more."""
        now = {}
        for place in ["", *self.places()]:
            for name in self.files:
                now[(place or ".") + "/" + name] = self.content(place, name)
        changed = [f"{path}={text}" for path, text in now.items() if self.seen.get(path) != text]
        self.seen = now
        return "; ".join(changed)

    def act(self, function, *args):
        return self.hand.call(function, *args) if self.hand else function(*args)

    def content(self, place, name):
        try:
            if name.startswith("owner of "):
                about = os.stat(self.st.path(place) + "/" + name[9:])
                return f"{about.st_mode & 0o7777:o} {about.st_uid}:{about.st_gid}"
            text = read_once(self.st.path(place) + "/" + name)
        except OSError as error:
            return name_of(error)
        if name in ("cgroup.procs", "cgroup.threads"):
            return " ".join(sorted(self.st.people.get(int(number), "?") for number in text.split()))
        if name == "cgroup.stat":  # the kernel counts states of controllers for a while after their end
            text = text.splitlines()[0].split()[1]
        return ",".join(text.splitlines())

    def run(self, steps):
        self.st.note(f"walk {self.walk}", "")
        self.look()
        for _ in range(steps):
            step = self.random.choice(self.moves)(self)
            if step:
                self.st.note(step[0], " | ".join(filter(None, (step[1], self.look()))))

    def clear(self):
        """For the next walk."""
        for place in ["", *self.places()]:
            write(self.st.path(place) + "/cgroup.freeze", "0")
        self.idle = set()
        for actor in self.actors():
            actor.end()
        self.forget()
        for place in sorted(self.places(), reverse=True):
            os.rmdir(self.st.path(place))
        self.st.set("cgroup.subtree_control", " ".join("-" + each for each in CONTROLLERS))
        for name in ("cgroup.max.depth", "cgroup.max.descendants"):
            self.st.set(name, "max")

    # the moves: a step and its answer, or None where it cannot be

    def mkdir(self):
        there = self.places()
        free = [each for each in PLACES if each not in there and os.path.dirname(each) in ["", "a", *there]]
        if free:
            place = self.random.choice(free)
            return f"mkdir {place}", self.act(attempt, os.mkdir, self.st.path(place))

    def rmdir(self):
        if there := self.places():
            place = self.random.choice(there)
            return f"rmdir {place}", self.act(attempt, os.rmdir, self.st.path(place))

    def write(self, place, name, text, label=None):
        answer = self.act(write, self.st.path(place) + "/" + name, text)
        return f"{place or '.'}/{name} < {label or text!r}", answer

    def control(self):
        words = [self.random.choice("+++-") + self.random.choice(CONTROLLERS)
                 for _ in range(self.random.choice((1, 1, 1, 2, 3)))]
        return self.write(self.place(), "cgroup.subtree_control", " ".join(words))

    def make_threaded(self):
        if there := self.places():
            return self.write(self.random.choice(there), "cgroup.type", "threaded")

    def limit(self):
        return self.write(self.place(), self.random.choice(("cgroup.max.depth", "cgroup.max.descendants")),
                          self.random.choice(("0", "1", "2", "3", "max", "max")))

    def actors(self):
        return [each for each in self.st.actors if each.alive and each.name not in self.idle]

    def start(self):
        if len(self.actors()) < 4:
            actor = self.st.actor()
            self.tasks[actor.name] = actor, actor.pid, True
            return f"start {actor.name}", ""

    def bear(self, function, letter, is_process, what):
        """Who is there has one more, by that function of the actor's."""
        actors = self.actors()
        if actors and len(self.tasks) < 12:
            actor = self.random.choice(actors)
            number = actor.call(function)
            name = self.name(letter, number)
            self.tasks[name] = actor, number, is_process
            return f"{actor.name} {what} {name}", ""

    def start_thread(self):
        return self.bear(start_thread, "t", False, "starts thread")

    def start_child(self):
        return self.bear(fork_child, "c", True, "starts child")

    def make_zombie(self):
        return self.bear(fork_exit, "z", True, "starts and leaves zombie")

    def end(self):
        if not self.tasks:
            return None
        name = self.random.choice(list(self.tasks))
        actor, number, process = self.tasks[name]
        if actor.name in self.idle:
            return None
        if number == actor.pid:
            actor.end()
            self.forget()
        elif process and name[0] == "z":
            actor.call(os.waitpid, number, 0)
        elif process:
            actor.call(end_child, number)
        else:
            actor.call(end_thread, number)
        self.tasks.pop(name, None)
        return f"end {name}", ""

    def forget(self):
        """Those that ended with an actor; their parent is the recorder now."""
        for name, (actor, number, process) in list(self.tasks.items()):
            if actor.alive:
                continue
            if process and number != actor.pid:
                os.kill(number, signal.SIGKILL)
                os.waitpid(number, 0)
            del self.tasks[name]

    def move_process(self):
        if self.tasks:
            name = self.random.choice(list(self.tasks))
            return self.write(self.place(), "cgroup.procs", str(self.tasks[name][1]), name)

    def move_thread(self):
        if self.tasks:
            name = self.random.choice(list(self.tasks))
            return self.write(self.place(), "cgroup.threads", str(self.tasks[name][1]), name)

    def kill(self):
        if not (there := self.places()):
            return None
        place = self.random.choice(there)
        below = [self.st.members(each).strip("[]").split() for each in there
                 if f"{each}/".startswith(place + "/")]
        step = self.write(place, "cgroup.kill", "1")
        struck = {name for names in below for name in names if name in self.tasks and step[1] == "ok"}
        for actor in [each for each in self.st.actors if each.alive and each.name in struck]:
            actor.wait(30)
            actor.sock.close()
        self.forget()
        for name in struck & set(self.tasks):
            actor, number, _ = self.tasks.pop(name)
            if actor.name not in self.idle:
                until(lambda: actor.call(reap, number))
        return step

    def frozen(self, place):
        """Whether it or what is above it is to be frozen."""
        parts = [part for part in place.split("/") if part]
        above = ["/".join(parts[:count]) for count in range(len(parts) + 1)]
        return any(self.content(each, "cgroup.freeze") == "1" for each in above)

    def freeze(self):
        step = self.write(self.place(), "cgroup.freeze", self.random.choice("0011"))
        self.settle()
        return step

    def settle(self):
        """A process stands, or is let go, a while after it was told to."""
        for place in ["", *self.places()]:
            expected = f"frozen {int(self.frozen(place))}"
            until(lambda: expected in self.content(place, "cgroup.events"))

    def carefully(self, move):
        """Another move, in which nobody that stands has to do anything."""
        standing = {name for place in ["", *self.places()] if self.frozen(place)
                    for name in self.content(place, "cgroup.procs").split()}
        self.idle = standing
        step = move(self)
        self.settle()
        return step

    def setting(self, values):
        name = self.random.choice(list(values))
        return self.write(self.place(), name, self.random.choice(values[name]))


TREE = ("cgroup.type", "cgroup.controllers", "cgroup.subtree_control", "cgroup.procs", "cgroup.threads",
        "cgroup.events", "cgroup.stat", "pids.current")
MOVES = {Program.mkdir: 10, Program.rmdir: 5, Program.control: 12, Program.make_threaded: 4, Program.limit: 2,
         Program.start: 4, Program.start_thread: 3, Program.start_child: 2, Program.make_zombie: 1,
         Program.end: 3, Program.move_process: 12, Program.move_thread: 7, Program.kill: 1}
SEED, WALKS, STEPS = (int(each) for each in os.environ.get("CHANCE", "1 4 40").split())


def walks(st, files, moves, prepare=lambda program: None, count=WALKS, program=Program):
    LIBC.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    for walk in range(1, count + 1):
        walker = program(st, walk, files, moves)
        prepare(walker)
        walker.run(STEPS)
        walker.clear()


@scenario("core")
def chance_core(st):
    """Who may be where."""
    walks(st, TREE, {move: weight for move, weight in MOVES.items() if move is not Program.control})


@scenario("full")
def chance_tree(st):
    """Who may be where, and which controllers are where."""
    walks(st, TREE, MOVES)


@scenario("core")
def chance_freezing(st):
    """Who stands where."""
    moves = {Program.mkdir: 8, Program.rmdir: 4, Program.start: 4, Program.start_child: 3, Program.end: 3,
             Program.move_process: 12, Program.kill: 1}
    walks(st, ("cgroup.freeze", "cgroup.events", "cgroup.procs"),
          {Program.freeze: 10, **{lambda self, move=move: self.carefully(move): weight
                                  for move, weight in moves.items()}})


USERS = (1000, 1001)


def by_somebody(move):
    """The move, by root or a user."""
    def made(self):
        who = self.random.choice((None, *USERS, *USERS))
        self.hand = self.hands[who] if who else None
        step = move(self)
        self.hand = None
        return step and (f"{who or 'root'}: {step[0]}", step[1])
    return made


def chown(self):
    place, user = self.place(), self.random.choice((0, *USERS, *USERS))
    names = self.random.choice((("",), ("cgroup.procs",), ("cgroup.threads",), ("cgroup.subtree_control",),
                                DELEGATED, DELEGATED, DELEGATED))
    for name in names:
        os.chown(self.st.path(place) + "/" + name, user, user)
    return f"chown {user} {place or '.'} {' '.join(names)}", ""


def chmod(self):
    place, mode = self.place(), self.random.choice((0o644, 0o666, 0o664, 0o200, 0o606))
    name = self.random.choice(("cgroup.procs", "cgroup.procs", "cgroup.threads", "cgroup.kill",
                               "cgroup.max.depth"))
    answer = self.act(attempt, os.chmod, self.st.path(place) + "/" + name, mode)
    return f"chmod {mode:o} {place or '.'}/{name}", answer


DELEGATED = ("", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control")


@scenario("core")
def chance_users(st):
    """Whose files are whose, and who may move whom."""
    def prepare(program):
        program.hands = {user: st.actor() for user in USERS}
        for user, hand in program.hands.items():
            hand.call(become, user)
            program.idle.add(hand.name)
        for place in ("a", "b", "a/a", "b/a"):
            st.make(place)
    moves = {Program.mkdir: 5, Program.rmdir: 3, Program.move_process: 14, Program.move_thread: 4, chmod: 3,
             Program.make_threaded: 1, Program.limit: 2}
    walks(st, ("cgroup.procs", "cgroup.threads", "cgroup.type", "owner of ", "owner of cgroup.procs",
               "owner of cgroup.threads", "owner of cgroup.kill"),
          {Program.start: 3, Program.start_thread: 1, chown: 6,
           **{by_somebody(move): weight for move, weight in moves.items()}}, prepare)


CPUSET = {"cpuset.cpus": ("\n", "0", "1", "0-1", "0-1"),
          "cpuset.cpus.exclusive": ("\n", "\n", "0", "1", "0-1"),
          "cpuset.cpus.partition": ("member", "root", "root", "isolated"), "cpuset.mems": ("\n", "0")}


def enabled(controllers):
    """Cgroups that have them."""
    def prepare(program):
        for place in ("", "a", "b", "a/a"):
            if place:
                program.st.make(place)
            program.st.set((place or ".") + "/cgroup.subtree_control",
                           " ".join("+" + each for each in controllers))
    return prepare


@scenario("full")
def chance_cpuset(st):
    """Lists and partitions."""
    walks(st, (*CPUSET, "cpuset.cpus.effective", "cpuset.cpus.exclusive.effective", "cpuset.mems.effective",
               "cgroup.procs"),
          {lambda self: self.setting(CPUSET): 40, Program.mkdir: 4, Program.rmdir: 3,
           lambda self: self.write(self.place(), "cgroup.subtree_control",
                                   self.random.choice(("+cpuset", "+cpuset", "-cpuset"))): 4,
           Program.start: 2, Program.move_process: 5, Program.end: 2}, enabled(["cpuset"]),
          WALKS + 3)  # what is written to the top stays there for the next walk


# A low one would keep the kernel from making cgroups below.
LIMITS = ("max", "1G", "2G", "4294967297", "-1", "max 1", "1T", "9223372036854775807")
SIZES = ("max", "0", "4096", "1M", "1M", "10M", "4097", "-1", "1G", "max 1", "9223372036854775807")
SETTINGS = {
    "memory.min": SIZES, "memory.low": SIZES, "memory.high": LIMITS, "memory.max": LIMITS,
    "memory.swap.max": SIZES, "memory.swap.high": SIZES, "memory.zswap.max": SIZES,
    "memory.zswap.writeback": ("0", "1"), "memory.oom.group": ("0", "1", "2"),
    "cpu.max": ("max", "50000", "50000 20000", "max 50000", "1000 1000000", "999", "200000 100000",
                "10000 10000"),
    "cpu.max.burst": ("0", "1000", "10000", "50000", "100000", "1000000"),
    "cpu.weight": ("1", "50", "100", "200", "10000", "0"),
    "cpu.weight.nice": ("-20", "-5", "0", "7", "19", "20"),
    "cpu.idle": ("0", "1"), "cpu.uclamp.min": ("0", "10.5", "50", "100", "max", "101"),
    "cpu.uclamp.max": ("0", "20.25", "50", "100", "max"),
    "pids.max": ("max", "0", "1", "5", "4194304", "4194305"),
    "io.bfq.weight": ("default 200", "300", "default 0", "default 1000"),
    "io.weight": ("default 200", "300", "default 10000", "0"),
}


@scenario("full")
def chance_settings(st):
    """Values, and what becomes of them where controllers come and go."""
    walks(st, SETTINGS, {lambda self: self.setting(SETTINGS): 40, Program.mkdir: 3, Program.rmdir: 2,
                         Program.control: 5}, enabled(CONTROLLERS), WALKS - 1)
