# SPDX-License-Identifier: MIT
"""Hundreds of processes in one cgroup."""
import os

from harness import ops
from harness.actor import fork_child, reap_child
from harness.cast import FILES
from harness.registry import scenario


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
