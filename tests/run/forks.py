# SPDX-License-Identifier: MIT
"""Processes in cgroups of their own, seen from beside them; for who is below the launcher."""

import ctypes
import os
import platform
import signal

import launcher

CLONE_PARENT = 0x8000
CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine())


def members(name):
    with open(f"{launcher.AT}/cpuacct/{name}/cgroup.procs", encoding="ascii") as file:
        return [int(line) for line in file]


def usage(name):
    with open(f"{launcher.AT}/cpuacct/{name}/cpuacct.usage", encoding="ascii") as file:
        return int(file.read()) / 1e9


def make(name):
    os.mkdir(f"{launcher.AT}/cpuacct/{name}")


def join(name):
    with open(f"{launcher.AT}/cpuacct/{name}/cgroup.procs", "w", encoding="ascii") as file:
        file.write("0")


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
        new = ctypes.CDLL(None).syscall(CLONE, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
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
