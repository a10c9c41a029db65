# SPDX-License-Identifier: MIT
"""Many clients of a unified hierarchy at once, in random order; what it then tells of itself must agree."""

import errno
import os
import random
import time

import pytest

import mounting
from files import pids, read, write
from processes import Sleepers

pytestmark = pytest.mark.daemon
CLIENTS = 6
SECONDS = float(os.environ.get("HAMMER_SECONDS", "8")) / 4
# As in test_hammer.py; and what the rules of domains, threads and limits refuse.
REFUSED = (errno.ENOENT, errno.ENODEV, errno.ESTALE, errno.EEXIST, errno.EBUSY, errno.EOPNOTSUPP,
           errno.EAGAIN,
           errno.EINVAL, errno.ESRCH, errno.EACCES)
TEXTS = (("cgroup.subtree_control",
          ("+cpu", "+memory +pids", "-memory", "-cpu -pids", "+io +cpuset", "-io -cpuset", "+hugetlb +rdma",
           "-hugetlb -rdma")),
         ("cgroup.type", ("threaded",)), ("cgroup.freeze", ("1", "0", "0")), ("cgroup.kill", ("1",)),
         ("cgroup.max.descendants", ("2", "max", "max")), ("cgroup.max.depth", ("1", "max", "max")),
         ("cgroup.pressure", ("0", "1")), ("memory.max", ("64M", "max")), ("memory.low", ("1M", "0")),
         ("memory.peak", ("1",)), ("memory.oom.group", ("1", "0")), ("pids.max", ("3", "max")),
         ("cpu.max", ("max", "20000 100000")), ("cpu.weight", ("1", "100")), ("cpu.idle", ("1", "0")),
         ("io.weight", ("10", "default 100")), ("cpuset.cpus", ("0", "0-1", "")),
         ("cpuset.cpus.exclusive", ("0", "1", "")), ("cpuset.cpus.partition", ("root", "isolated", "member")))
READ = ("cgroup.controllers", "cgroup.events", "cgroup.stat", "cgroup.stat.local", "cgroup.procs",
        "cgroup.threads", "cgroup.type", "cgroup.subtree_control", "cpu.stat", "cpu.weight", "cpu.pressure",
        "cpuset.cpus.effective", "cpuset.cpus.exclusive.effective", "cpuset.cpus.partition", "io.stat",
        "io.weight", "memory.current", "memory.events", "memory.numa_stat", "memory.peak", "memory.stat",
        "hugetlb.2MB.current", "hugetlb.2MB.numa_stat", "pids.current", "pids.events", "pids.peak",
        "rdma.max")


def step(top, rng, members):
    path = os.path.join(top, *rng.choices("abc", k=rng.randint(1, 3)))
    kind = rng.randrange(8)
    if kind < 2:
        os.mkdir(path)
    elif kind == 2:
        os.rmdir(path)
    elif kind == 3:
        write(os.path.join(path, "cgroup.procs"), str(rng.choice(members)))
    elif kind < 6:
        name, texts = rng.choice(TEXTS)
        write(os.path.join(path, name), rng.choice(texts))
    else:
        read(os.path.join(path, rng.choice(READ)))


def client(top, seed, members):
    """How many steps were done, or what went wrong."""
    rng, done, end = random.Random(seed), 0, time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            try:
                step(top, rng, members)
                done += 1
            except OSError as error:
                assert error.errno in REFUSED, error
    except BaseException as error:
        return f"{type(error).__name__} {error}"
    return str(done)


def together(top, seed, members):
    readers, clients = [], []
    for number in range(CLIENTS):
        reader, writer = os.pipe()
        clients.append(os.fork())
        if not clients[-1]:
            os.write(writer, client(top, seed + number, members).encode())
            os._exit(0)
        os.close(writer)
        readers.append(os.fdopen(reader))
    answers = [reader.read() for reader in readers]
    for pid in clients:
        os.waitpid(pid, 0)
    return answers


def check(directory):
    """What there is below is what it tells; returns how many cgroups, and whether there are members."""
    children = [entry.path for entry in os.scandir(directory) if entry.is_dir()]
    below = [check(child) for child in children]
    count = len(children) + sum(number for number, _ in below)
    populated = bool(pids(os.path.join(directory, "cgroup.threads"))) or any(busy for _, busy in below)
    assert f"nr_descendants {count}\n" in read(os.path.join(directory, "cgroup.stat")), directory
    if os.path.exists(os.path.join(directory, "cgroup.events")):
        assert f"populated {int(populated)}\n" in read(os.path.join(directory, "cgroup.events")), directory
    return count, populated


def remove_all(top):
    for directory, _, _ in os.walk(top, topdown=False):
        if directory != top:
            assert mounting.wait_until(lambda: mounting.remove(directory)), directory


def test_hammer(start):
    seed = int(os.environ.get("HAMMER_SEED", random.randrange(1 << 30)))
    daemon = start("-o", "v2")
    top = str(daemon.path)
    write(os.path.join(top, "cgroup.subtree_control"), "+cpu +memory +pids +cpuset +io +hugetlb +rdma")
    with Sleepers() as spawn:
        members = [spawn() for _ in range(2 * CLIENTS)]
        answers = together(top, seed, members)
        assert all(answer.isdigit() and int(answer) for answer in answers), f"seed {seed}: {answers}"
        check(top)
        for name in "abc":
            if os.path.isdir(os.path.join(top, name)):
                for directory, _, _ in os.walk(os.path.join(top, name)):
                    write(os.path.join(directory, "cgroup.freeze"), "0")
        for pid in members:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if ") Z" not in file.read():
                    write(os.path.join(top, "cgroup.procs"), str(pid))
        remove_all(top)
    assert read(os.path.join(top, "cgroup.stat")).startswith("nr_descendants 0\n")
