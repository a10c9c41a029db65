# SPDX-License-Identifier: MIT
"""start: a child. clone: that child makes a sibling of itself. Both print the new process' number."""
import ctypes
import os
import platform
import sys
import time

CLONE_PARENT, SIGCHLD = 0x8000, 17
NUMBER = {"x86_64": 56, "aarch64": 220}.get(platform.machine())
libc = ctypes.CDLL(None, use_errno=True)
to_child, from_child = os.pipe(), os.pipe()

for line in sys.stdin:
    if line == "start\n":
        pid = os.fork()
        if not pid:
            os.read(to_child[0], 1)
            new = libc.syscall(NUMBER, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) if NUMBER else 0
            if new > 0:
                os.write(from_child[1], f"{new}\n".encode())
            elif not NUMBER or new < 0:
                os.write(from_child[1], b"0\n")
            time.sleep(1000)
        print(pid)
    else:
        os.write(to_child[1], b"x")
        print(os.read(from_child[0], 32).decode().strip())
