# SPDX-License-Identifier: MIT
"""Random texts for every file, and random ways to open, read and write one; as chance.py."""
import fcntl
import os
import select

import stage as stages
from chance import CONTROLLERS, WALKS, Program, enabled, walks
from grammar import filled, masked
from stage import attempt, brief, scenario

NUMBERS = ("0", "0", "1", "2", "3", "7", "19", "20", "99", "100", "101", "999", "1000", "1001", "4095",
           "4096", "4097", "9999", "10000", "10001", "50000", "100000", "1000000", "1000001", "2097152",
           "4194304", "4194305", "2147483647", "2147483648", "4294967295", "4294967296", "17592186044415",
           "17592186044416", "9223372036854771712", "9223372036854775807", "9223372036854775808",
           "18446744073709551615", "18446744073709551616", "100000000000000000000")
PADS = ("", "", "", "", "\n", "\n", "\n", " ", "  ", "\t", "\r\n", "\v", "\f", "\0", "\n\n", "\n0", "\nmax",
        "\0" "5", " 1", ",", " " * 4090, " " * 4096, "\n" * 4100)
BETWEEN = (" ", " ", " ", " ", " ", " ", "  ", "\t", "\n", ",", ":", "")
WORDS = ("max", "max", "max", "max", "MAX", "maxx", "ma", "default", "none", "auto", "user", "linear", "x",
         "-", "+", "some", "full", "threaded", "root", "member", "")
DISKS = ("{disk}", "{disk}", "{disk}", "{swap}", "{part}", "1:3", "0:0", "999:0", "{disk}x", "254", "254:",
         ":0")


class Writer:
    """Texts for files, mostly near to what they take."""

    def __init__(self, rng):
        self.random = rng

    def pick(self, *choices):
        return self.random.choice(choices)

    def number(self):
        text = self.random.choice(NUMBERS)
        form = self.random.random()
        if form < 0.05:
            text = f"0x{int(text):x}"
        elif form < 0.1:
            text = f"0{int(text):o}"
        elif form < 0.2:
            text += self.pick("k", "K", "m", "M", "G", "T", "E", "kb", "x", ".5", ".25", ".125", ".", "%",
                              "e3")
        if self.random.random() < 0.12:
            text = self.pick("-", "+", "-", "--", "- ") + text
        return text

    def value(self):
        if self.random.random() < 0.25:
            return self.random.choice(WORDS)
        return self.number()

    def pair(self, keys):
        key = self.random.choice(keys)
        return key + self.pick(*("=" * 12), "", ":", "= ", " =", "==") + self.value()

    def words(self, *makers):
        text = ""
        for place, maker in enumerate(makers):
            text += (self.random.choice(BETWEEN) if place else "") + maker()
        return text

    def pairs(self, first, keys):
        return self.words(first, *[lambda: self.pair(keys)] * self.pick(0, 1, 1, 1, 2, 3))

    def disk(self):
        return self.random.choice(DISKS)

    def control(self):
        return self.pick(*"+++--", "", "*") + self.random.choice(
            (*CONTROLLERS, *CONTROLLERS, "rdma", "misc", "perf_event", "nosuch", "", "cpuacct"))

    def pressure(self):
        return self.words(lambda: self.pick("some", "full", "some", "any", ""),
                          lambda: self.pick("0", "1", "150000", "500000", self.number()),
                          lambda: self.pick("500000", "1000000", "2000000", "10000000", "10000001",
                                            self.number()))

    def text(self, name):
        makers = {
            "cgroup.subtree_control": lambda: self.words(*[self.control] * self.pick(1, 1, 2, 3)),
            "cpu.max": lambda: self.words(*[self.value] * self.pick(1, 1, 2, 2, 2, 3)),
            "cpu.weight.nice": lambda: str(self.random.randint(-22, 21)),
            "cpu.weight": lambda: str(int(10 ** (self.random.random() * 4.2))),
            "cpu.uclamp.min": lambda: f"{self.random.random() * 110:.{self.random.randint(0, 4)}f}",
            "cpu.max.burst": lambda: str(self.random.randint(0, 120000)),
            "io.max": lambda: self.pairs(self.disk,
                                         ("rbps", "wbps", "riops", "wiops", "rbps", "foo", "")),
            "io.weight": lambda: self.words(lambda: self.pick("default", self.disk(), ""), self.value),
            "rdma.max": lambda: self.pairs(lambda: self.pick("rxe0", "rxe0", "rxe0", "rxe1", ""),
                                           ("hca_handle", "hca_object", "foo")),
            "misc.max": lambda: self.words(lambda: self.pick("sev", "tdx", "x", ""), self.value),
            "memory.reclaim": lambda: self.words(
                lambda: self.pick("0", "1", "4095", "0k", "x", "1M", "-1"),
                lambda: self.pick("", "", f"swappiness={self.value()}", "swappiness=max", "x")),
        }
        makers["io.bfq.weight"] = makers["io.weight"]
        makers["cpu.uclamp.max"] = makers["cpu.uclamp.min"]
        for each in ("cpu", "io", "memory"):
            makers[each + ".pressure"] = self.pressure
        maker = self.value if name not in makers or self.random.random() < 0.2 else makers[name]
        text = maker()
        if self.random.random() < 0.35:
            first = self.random.random() < 0.4
            pad = self.random.choice(PADS)
            text = pad + text if first else text + pad
        return text


# --- texts ---

# Members are chance_tree's, partitions chance_cpuset's. Nobody knows what is reclaimed at the top.
TEXTS = ("cgroup.freeze", "cgroup.kill", "cgroup.max.depth", "cgroup.max.descendants", "cgroup.pressure",
         "cgroup.subtree_control", "cpu.max", "cpu.max", "cpu.max", "cpu.max.burst", "cpu.weight",
         "cpu.weight.nice", "cpu.idle", "cpu.uclamp.min", "cpu.uclamp.max", "cpu.pressure", "memory.pressure",
         "memory.min", "memory.low", "memory.high", "memory.max", "memory.swap.max", "memory.swap.high",
         "memory.zswap.max", "memory.zswap.writeback", "memory.oom.group", "memory.reclaim", "memory.peak",
         "memory.swap.peak", "pids.max", "hugetlb.2MB.max", "hugetlb.2MB.rsvd.max", "hugetlb.1GB.max",
         "io.weight", "io.bfq.weight", "misc.max")
DEVICES = ("io.max", "io.max", "io.max", "io.weight", "io.bfq.weight", "rdma.max", "rdma.max")
SHOWN = [each for each in dict.fromkeys(TEXTS + DEVICES)
         if each not in ("cgroup.kill", "memory.reclaim", "memory.peak", "memory.swap.peak") and
         not each.endswith("pressure") or each == "cgroup.pressure"]


def write_text(names):
    def made(self):
        name = self.random.choice(names)
        self.family = name.partition(".")[0]
        text = Writer(self.random).text(name)
        flags = os.O_RDWR if name.endswith((".pressure", ".peak")) else os.O_WRONLY
        flags |= self.random.choice((0, 0, 0, os.O_TRUNC, os.O_APPEND, os.O_APPEND | os.O_TRUNC,
                                     os.O_NONBLOCK))
        # A low one would keep the kernel from making anything below.
        leaf = name in ("memory.max", "memory.high")
        place = self.random.choice(("a/a", "b") if leaf else ("a", "b", "a/a", ""))
        answer = stages.write(self.st.path(place) + "/" + name, filled(text) or "", flags)
        return f"{place or '.'}/{name} < {masked(brief(text.encode()))}", answer
    return made


class Texts(Program):
    """Looks at the files of the controller that was written to; at all when controllers may have gone."""
    family = "cgroup"

    def content(self, place, name):
        return masked(super().content(place, name))

    def look(self):
        before, everything = self.seen, self.files
        if self.family != "cgroup":
            self.files = [each for each in everything if each.startswith(self.family)]
            self.seen = {path: text for path, text in before.items()
                         if path.rpartition("/")[2].startswith(self.family)}
        changed = super().look()
        self.files, self.seen = everything, before | self.seen
        return changed


ALL = (*CONTROLLERS, "rdma", "misc")


@scenario("full")
def chance_texts(st):
    """What is taken and refused, and what is shown then."""
    walks(st, SHOWN, {write_text(TEXTS): 40, control_all: 2}, enabled(ALL), WALKS - 2, Texts)


@scenario("full")
def chance_devices(st):
    """The same of devices' limits."""
    walks(st, SHOWN, {write_text(DEVICES): 40, control_all: 1}, enabled(ALL), WALKS - 2, Texts)


def control_all(self):
    """Controllers come and go; mostly they come."""
    self.family = "cgroup"
    return self.write(self.place(), "cgroup.subtree_control",
                      " ".join(self.random.choice("++++-") + each for each in
                               self.random.sample(ALL, self.random.choice((1, 2, 8)))))


# --- open files ---

OPENED = ("cgroup.max.depth", "cgroup.max.descendants", "cgroup.subtree_control", "cgroup.controllers",
          "cgroup.type", "cgroup.freeze", "cgroup.events", "cpu.max", "cpu.weight", "cpu.weight.nice",
          "memory.low", "memory.events", "pids.max", "pids.current", "io.weight", "io.max",
          "hugetlb.2MB.events", "misc.max",
          "memory.swap.events", "cgroup.kill", "memory.oom.group", "cpu.stat.local")
FLAGS = {"r": os.O_RDONLY, "w": os.O_WRONLY, "rw": os.O_RDWR, "wa": os.O_WRONLY | os.O_APPEND,
         "rwt": os.O_RDWR | os.O_TRUNC, "rc": os.O_RDONLY | os.O_CREAT,
         "wx": os.O_WRONLY | os.O_CREAT | os.O_EXCL}


class Files(Program):
    """Has a few files open."""

    def __init__(self, *args):
        super().__init__(*args)
        self.open = {}

    def open_one(self):
        if len(self.open) >= 4:
            return None
        place, name = self.place(), self.random.choice(OPENED)
        label = self.random.choice(("r", "r", "rw", "rw", "w", "wa", "rwt", "rc", "wx"))
        self.count += 1
        known = f"f{self.count}"
        try:
            self.open[known] = os.open(self.st.path(place) + "/" + name, FLAGS[label]), name
        except OSError as error:
            return f"{known}: open {place or '.'}/{name} {label}", stages.name_of(error)
        return f"{known}: open {place or '.'}/{name} {label}", ""

    def with_one(self, step):
        if not self.open:
            return None
        known = self.random.choice(list(self.open))
        label, answer = step(*self.open[known])
        return f"{known}: {label}", answer

    def close_one(self):
        if not self.open:
            return None
        known = self.random.choice(list(self.open))
        os.close(self.open.pop(known)[0])
        return f"{known}: close", ""

    def read_some(self):
        size = self.random.choice((1, 2, 3, 5, 100, 100, 5000))
        return self.with_one(lambda fd, _: (f"read {size}", attempt(os.read, fd, size)))

    def pread_some(self):
        size, at = self.random.choice((1, 3, 100)), self.random.choice((0, 0, 1, 2, 4, 9, 50, 5000))
        return self.with_one(lambda fd, _: (f"pread {size} at {at}", attempt(os.pread, fd, size, at)))

    def seek(self):
        at, whence = self.random.choice(((0, 0), (0, 0), (1, 0), (3, 0), (100, 0), (0, 1), (1, 1), (-1, 1),
                                         (0, 2), (2, 2), (-1, 0), (0, 3), (0, 4)))
        return self.with_one(lambda fd, _: (f"lseek {at} {whence}", attempt(os.lseek, fd, at, whence)))

    def write_some(self):
        def step(fd, name):
            text = Writer(self.random).text(name).encode()
            how = self.random.choice(("write", "write", "write", "pwrite", "writev"))
            if how == "pwrite" and fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE:
                return f"pwrite at 3 {brief(text)}", attempt(os.pwrite, fd, text, 3)
            if how == "writev":
                parts = [text[:1], text[1:2], text[2:]]
                return f"writev {brief(text)}", attempt(os.writev, fd, parts)
            return f"write {brief(text)}", attempt(os.write, fd, text)
        return self.with_one(step)

    def change(self):
        """Somebody else's write."""
        name = self.random.choice(("cgroup.max.depth", "cpu.max", "cpu.weight", "memory.low", "pids.max"))
        return self.write(self.place(), name, self.random.choice(("10000", "20000", "max", "500", "7")))

    def about(self):
        what, step = self.random.choice((
            ("size and links", lambda fd: f"{os.fstat(fd).st_size} {os.fstat(fd).st_nlink}"),
            ("ftruncate", lambda fd: os.ftruncate(fd, 3)), ("fsync", os.fsync),
            ("chmod", lambda fd: os.fchmod(fd, 0o640)), ("listxattr", lambda fd: str(os.listxattr(fd))),
            ("fallocate", lambda fd: os.posix_fallocate(fd, 0, 10))))
        return self.with_one(lambda fd, _: (what, attempt(step, fd)))

    def poll(self):
        def step(fd, _):
            poller = select.poll()
            poller.register(fd, select.POLLPRI)
            return "poll", str([mask for _, mask in poller.poll(0)])
        return self.with_one(step)

    def clear(self):
        for fd, _ in self.open.values():
            os.close(fd)
        super().clear()


@scenario("full")
def chance_open(st):
    """What an open file says after its cgroup, its controller or its value has changed."""
    walks(st, (), {Files.open_one: 14, Files.close_one: 6, Files.read_some: 16, Files.pread_some: 8,
                   Files.seek: 5, Files.write_some: 12, Files.change: 8, Files.about: 3, Files.poll: 3,
                   control_all: 4,
                   Program.mkdir: 4, Program.rmdir: 5}, enabled(CONTROLLERS), program=Files)
