# SPDX-License-Identifier: MIT
"""Processes in cgroups of their own, seen from beside them; for who is below the launcher."""

import ctypes
import os
import pathlib
import platform
import random
import signal
import time

import launcher
import mounting

CLONE_PARENT = 0x8000
CLONE_NEWPID = 0x20000000
CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine())


def members(name):
    with open(f"{launcher.AT}/cpuacct/{name}/cgroup.procs", encoding="ascii") as file:
        return [int(line) for line in file]


def usage(name):
    with open(f"{launcher.AT}/cpuacct/{name}/cpuacct.usage", encoding="ascii") as file:
        return int(file.read()) / 1e9


def make(name):
    os.mkdir(f"{launcher.AT}/cpuacct/{name}")


def join(name, pid=0):
    with open(f"{launcher.AT}/cpuacct/{name}/cgroup.procs", "w", encoding="ascii") as file:
        file.write(str(pid))


def clone(flags):
    return ctypes.CDLL(None).syscall(CLONE, flags | signal.SIGCHLD, 0, 0, 0, 0)


def sibling():
    """
    A child of ours joins a cgroup, makes a child that is ours, not its own (as runc starts a container), and
    ends. The cgroup's members then, and the number of the one that was made.
    """
    make("maker")
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        join("maker")
        new = clone(CLONE_PARENT)
        if not new:
            signal.pause()
        os.write(tell, str(new).encode())
        os._exit(0)
    new = int(os.read(told, 32))
    os.waitpid(child, 0)
    found = members("maker")
    os.kill(new, signal.SIGKILL)
    os.waitpid(new, 0)
    left = members("maker")
    os.rmdir(f"{launcher.AT}/cpuacct/maker")
    return found, new, left


def wait_until(condition):
    """As long as a whole test may take: many tasks are made, one after the other."""
    return mounting.wait_until(condition, mounting.TEST_SECONDS)


def wait_forever():
    while True:
        signal.pause()


def make_and_reap():
    """Children that end at once, one after the other."""
    while True:
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)


def start(function, *arguments):
    """The number of a child that calls it, and ends."""
    child = os.fork()
    if not child:
        try:
            function(*arguments)
        finally:
            os._exit(0)
    return child


def make_siblings(told, count):
    os.read(told, 1)
    for _ in range(count):
        if not clone(CLONE_PARENT):
            wait_forever()


def make_siblings_that_end():
    while clone(CLONE_PARENT):
        pass


def siblings(count, namespace):
    """
    A process in a cgroup makes so many that are its parent's, not its own, while others end all the
    while. All are in a pid namespace if that is CLONE_NEWPID. How many there are, and which are missing
    from the cgroup.
    """
    make("makers")
    enders = [start(make_and_reap) for _ in range(2)]
    told, tell = os.pipe()
    parent = clone(namespace)
    if not parent:
        os.waitpid(start(make_siblings, told, count), 0)
        wait_forever()
    wait_until(lambda: launcher.children(parent))
    maker, = launcher.children(parent)
    join("makers", maker)
    os.write(tell, b"\n")
    wait_until(lambda: maker not in launcher.children(parent))
    new = launcher.children(parent)
    missing = set(new) - set(members("makers"))
    for child in new + enders + [parent]:
        os.kill(child, signal.SIGKILL)
    for child in enders + [parent]:
        os.waitpid(child, 0)
    wait_until(lambda: not members("makers"))
    os.rmdir(f"{launcher.AT}/cpuacct/makers")
    return len(new), sorted(missing)


def reap():
    """Those that have ended. False: there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def killed_makers(rounds):
    """So many children of ours are killed while they make others, which end: which of them never do."""
    for _ in range(rounds):
        maker = start(make_siblings_that_end)
        time.sleep(random.uniform(0.002, 0.006))
        os.kill(maker, signal.SIGKILL)
        reap()
    left = [] if wait_until(reap) else launcher.children(os.getpid())
    for child in left:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return left


def many(count):
    """A shell in a cgroup starts so many short programs: what all used by the cgroup and by wait4(2): s."""
    make("many")
    joined, tell = os.pipe()
    child = os.fork()
    if not child:
        join("many")
        before = os.times()
        os.write(tell, repr(before.user + before.system).encode())
        script = f"i=0; while [ $i -lt {count} ]; do /bin/true; i=$((i+1)); done; :"
        os.execvp("sh", ["sh", "-c", script])
    before = float(os.read(joined, 32))
    _, status, used = os.wait4(child, 0)
    shown = usage("many")
    os.rmdir(f"{launcher.AT}/cpuacct/many")
    return status, shown, used.ru_utime + used.ru_stime - before


def adopt(pid):
    """Puts a process that is not below the launcher into a cgroup."""
    make("adopted")
    pathlib.Path(f"{launcher.AT}/cpuacct/adopted/cgroup.procs").write_text(f"{pid}")


def adopted():
    """Who is there now."""
    return pathlib.Path(f"{launcher.AT}/cpuacct/adopted/cgroup.procs").read_text().split()


def scans_of_reads(count, most):
    """How many scans come with so many reads of our cgroup's usage, in the first of ten turns with no more
    than `most`, or in the best: each takes a number."""
    make("read")
    join("read")
    found = []
    while len(found) < 10 and most < min(found, default=most + 1):
        before = mounting.newest()
        for _ in range(count):
            usage("read")
            time.sleep(0.02)  # else it is told what was just read
        found.append(mounting.newest() - before - 1)
    pathlib.Path(f"{launcher.AT}/cpuacct/cgroup.procs").write_text(f"{os.getpid()}")
    os.rmdir(f"{launcher.AT}/cpuacct/read")
    return min(found)
