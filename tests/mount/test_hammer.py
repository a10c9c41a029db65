# SPDX-License-Identifier: MIT
"""Many clients at once, in random order; afterwards everything must still be in its place.

HAMMER_SECONDS (default 8) says how long, HAMMER_SEED repeats a run.
"""

import errno
import os
import random
import time

import pytest

from files import pids, read, write
from processes import Sleepers

CLIENTS = 8
SECONDS = float(os.environ.get("HAMMER_SECONDS", "8"))
# A path that another client has taken away. ESTALE is libfuse's word for a node that went
# between lookup and operation; Linux tries such a call again, once.
GONE = (errno.ENOENT, errno.ENODEV, errno.ESTALE)
HIERARCHIES = ("cpu", "memory", "freezer", "cpuacct", "blkio", "pids")
VALUES = {"cpu": ("cpu.shares", ["2", "512", "262144"]),
          "memory": ("memory.limit_in_bytes", ["4096", "512M", "-1"]),
          "freezer": ("freezer.state", ["FROZEN", "THAWED"]),
          "cpuacct": ("cpuacct.usage", ["0"]),
          "blkio": ("blkio.reset_stats", ["1"]),
          "pids": ("pids.max", ["3", "max"])}
READ = {"cpu": ("cpu.shares", "cpu.stat"),
        "memory": ("memory.limit_in_bytes", "memory.stat", "memory.numa_stat", "memory.max_usage_in_bytes"),
        "freezer": ("freezer.state", "freezer.parent_freezing"),
        "cpuacct": ("cpuacct.usage", "cpuacct.usage_all", "cpuacct.stat"),
        "blkio": ("blkio.throttle.io_service_bytes", "blkio.throttle.io_serviced_recursive"),
        "pids": ("pids.max", "pids.current", "pids.events")}


class Client:
    """Does one random thing after the other to a tree that others change too."""

    def __init__(self, mount, seed, sleepers):
        self.mount = mount
        self.random = random.Random(seed)
        self.sleepers = sleepers
        self.count = 0

    def path(self, hierarchy, depth=None):
        names = self.random.choices("abcde", k=depth or self.random.randint(1, 3))
        return os.path.join(self.mount, hierarchy, *names)

    def attempt(self, allowed, work, *arguments):
        try:
            result = work(*arguments)
        except OSError as error:
            assert error.errno in allowed, f"{work.__name__}{arguments}: {error}"
            return None
        self.count += 1
        return result

    def mkdir(self, hierarchy):
        self.attempt((*GONE, errno.EEXIST), os.mkdir, self.path(hierarchy))

    def rmdir(self, hierarchy):
        self.attempt((*GONE, errno.EBUSY), os.rmdir, self.path(hierarchy))

    def rename(self, hierarchy):
        old = self.path(hierarchy)
        new = os.path.join(os.path.dirname(old), self.random.choice("abcde"))
        self.attempt((*GONE, errno.EEXIST), os.rename, old, new)

    def attach(self, hierarchy):
        file = os.path.join(self.path(hierarchy), self.random.choice(["cgroup.procs", "tasks"]))
        pid = self.random.choice(self.sleepers)
        self.attempt(GONE, write, file, str(pid))

    def write(self, hierarchy):
        name, values = VALUES[hierarchy]
        value = self.random.choice(values)
        # A limit below what is used is refused with EBUSY.
        self.attempt((*GONE, errno.EBUSY), write,
                     os.path.join(self.path(hierarchy), name), value)

    def read(self, hierarchy):
        name = self.random.choice([*READ[hierarchy], "cgroup.procs", "tasks"])
        text = self.attempt(GONE, read,
                            os.path.join(self.path(hierarchy), name))
        assert text is None or text == "" or text.endswith("\n")

    def list(self, hierarchy):
        names = self.attempt(GONE, os.listdir, self.path(hierarchy))
        assert not names or len(names) == len(set(names))

    def run(self, seconds):
        actions = [self.mkdir] * 4 + [self.rmdir] * 2 + [self.attach] * 3 + \
            [self.rename, self.write, self.write, self.read, self.read, self.read, self.list]
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                self.random.choice(actions)(self.random.choice(HIERARCHIES))
        except BaseException as error:
            return f"after {self.count}: {type(error).__name__} {error}"
        return str(self.count)


def hammer(path, seed, sleepers):
    """All clients at once; what each of them answers: its count, or what went wrong."""
    readers = []
    for number in range(CLIENTS):
        reader, writer = os.pipe()
        if os.fork() == 0:
            client = Client(str(path), seed + number, sleepers[number::CLIENTS])
            os.write(writer, client.run(SECONDS).encode())
            os._exit(0)
        os.close(writer)
        readers.append(os.fdopen(reader))
    answers = [reader.read() for reader in readers]
    for _ in readers:
        os.wait()
    return answers


def check_tree(path, sleepers):
    """Every directory's links are its children's, and every process is in one place."""
    for hierarchy in HIERARCHIES:
        places = {pid: [] for pid in sleepers}
        for directory, children, names in os.walk(os.path.join(path, hierarchy)):
            assert os.stat(directory).st_nlink == 2 + len(children), directory
            assert len(names) == len(set(names))
            members = pids(os.path.join(directory, "cgroup.procs"))
            assert members == sorted(set(members))
            for pid in set(members) & set(sleepers):
                places[pid].append(directory)
        lost = {pid: where for pid, where in places.items() if len(where) != 1}
        assert not lost, hierarchy


def remove_all(path, sleepers):
    for hierarchy in HIERARCHIES:
        root = os.path.join(path, hierarchy)
        for pid in sleepers:
            write(os.path.join(root, "cgroup.procs"), str(pid))
        for directory, _, _ in os.walk(root, topdown=False):
            if directory != root:
                os.rmdir(directory)
        assert [entry.name for entry in os.scandir(root) if entry.is_dir()] == []


@pytest.mark.daemon
def test_hammer(mount):
    seed = int(os.environ.get("HAMMER_SEED", random.randrange(1 << 30)))
    print(f"HAMMER_SEED={seed}")
    before = {name: sorted(os.listdir(mount / name)) for name in HIERARCHIES}
    with Sleepers() as spawn:
        sleepers = [spawn() for _ in range(2 * CLIENTS)]
        answers = hammer(mount.path, seed, sleepers)
        counts = [int(answer) for answer in answers if answer.isdigit()]
        assert len(counts) == CLIENTS, f"seed {seed}: {answers}"
        assert min(counts) > 0
        print(f"{sum(counts)} operations by {CLIENTS} clients in {SECONDS:.0f} s")
        check_tree(mount.path, sleepers)
        remove_all(mount.path, sleepers)
    assert before == {name: sorted(os.listdir(mount / name)) for name in HIERARCHIES}
    assert mount.process.poll() is None
