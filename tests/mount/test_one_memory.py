# SPDX-License-Identifier: MIT
"""Memory that two processes have as one (vfork, clone(CLONE_VM)) is there once, as for the kernel."""

import time

from files import pids, read
from mounting import wait_until
from test_membership import end, make, mount, shell # pylint: disable=unused-import

MIB = 1 << 20
SIZE = 64 * MIB
REST = 0.1 # seconds; longer than what was read of a few members is used again

# The child sleeps within libc: no Python runs in it.
SHARER = f"""
import ctypes, mmap, os
memory = mmap.mmap(-1, {SIZE}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.write(bytes([1]) * {SIZE})
stack = ctypes.create_string_buffer(65536)
libc = ctypes.CDLL(None, use_errno=True)
libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
print("alone", flush=True)
input()
top = (ctypes.addressof(stack) + 65536) & ~15
child = libc.clone(ctypes.cast(libc.pause, ctypes.c_void_p), top, 0x100 | 17, None) # CLONE_VM | SIGCHLD
print(child, flush=True)
input()
os.kill(child, 9)
os.waitpid(child, 0)
"""


def usage(cgroup):
    time.sleep(REST)
    return int(read(cgroup / "memory.usage_in_bytes"))


def usages(cgroup, seconds):
    """What is shown over some time, in which all is read anew."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield usage(cgroup)


def test_child_in_its_parents_memory(mount):
    cgroup = make(mount, "memory", "one")
    process = shell(f"exec /usr/bin/python3 -c '{SHARER}'", cgroup)
    assert process.stdout.readline() == "alone\n"
    assert wait_until(lambda: usage(cgroup) >= SIZE)
    alone = usage(cgroup)
    process.stdin.write("\n")
    process.stdin.flush()
    assert int(process.stdout.readline()) > 0
    assert len(pids(cgroup / "cgroup.procs")) == 2
    assert all(alone - MIB < size < alone + MIB for size in usages(cgroup, 2))
    process.stdin.write("\n")
    end(process)
