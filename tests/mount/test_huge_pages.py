# SPDX-License-Identifier: MIT
"""Anonymous memory in transparent huge pages: memory.stat has what the kernel tells of a member."""

import pathlib

import pytest

from files import fields
from mounting import in_gvisor, wait_until
from test_membership import end, make, mount, shell # pylint: disable=unused-import

ENABLED = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
SIZE = 16 << 20

HOLDER = f"""
import mmap
memory = mmap.mmap(-1, {SIZE}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_HUGEPAGE)
memory.write(bytes([1]) * {SIZE})
print("held", flush=True)
input()
memory.close()
print("freed", flush=True)
input()
"""


def told(process):
    lines = pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("AnonHugePages:"))


def shown(cgroup):
    return fields(cgroup / "memory.stat")["total_rss_huge"]


if not in_gvisor(): # which tells of none
    def test_rss_huge(mount):
        if not ENABLED.exists() or "[never]" in ENABLED.read_text(encoding="ascii"):
            pytest.skip(f"this kernel makes no huge pages: see {ENABLED}")
        cgroup = make(mount, "memory", "huge")
        process = shell(f"exec /usr/bin/python3 -c '{HOLDER}'", cgroup)
        assert process.stdout.readline() == "held\n"
        if not told(process):
            pytest.skip("the kernel had no huge page left")
        assert wait_until(lambda: shown(cgroup) == told(process) > 0)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "freed\n"
        assert wait_until(lambda: shown(cgroup) == told(process) == 0)
        process.stdin.write("\n")
        end(process)
