# SPDX-License-Identifier: MIT
"""The figures of our root are those of the kernel's own root, read at the same moment."""
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from harness import kernel, ops

TICK = 10**9 // os.sysconf("SC_CLK_TCK")  # ns
NEAR = 4 << 20  # bytes that a figure may differ by, if that is more than its percentage


@pytest.fixture(scope="module")
def roots(mountpoint):
    """(ours, the kernel's): directory of a hierarchy by its name."""
    live, why = kernel.available()
    if not live:
        pytest.skip(why)
    theirs = kernel.mounted()

    def both(hierarchy):
        if hierarchy not in theirs:
            pytest.skip(f"{hierarchy} is not mounted as cgroup v1 here")
        return Path(mountpoint) / hierarchy, Path(theirs[hierarchy])
    return both


def at_once(ours, theirs, parse):
    """Our figures, and the kernel's from just before and just after."""
    before = parse(theirs.read_text())
    got = parse(ours.read_text())
    return before, got, parse(theirs.read_text())


def assert_memory(name, figures):
    """Ours is the kernel's within 1 % or 4 MiB; figures() are those of at_once().

    The kernel's statistics may be two seconds old (mm/memcontrol.c FLUSH_TIME), when others map
    and unmap much: then a later moment decides.
    """
    for _ in range(20):
        before, got, after = figures()
        low, high = min(before, after), max(before, after)
        allowed = max(high / 100, NEAR)
        if low - allowed <= got <= high + allowed:
            return
        time.sleep(0.5)
    pytest.fail(f"{name}: kernel {before} to {after}, ours {got}:"
                f" {100 * (got - high) / max(high, 1):+.2f} %, allowed 1 % or {NEAR}")


def unaccounted():
    """Time in ns of all CPUs that /proc/stat gives to nobody, not even to idleness or a hypervisor.

    Its ticks miss what runs between two of them and what a hypervisor takes without telling; the
    kernel's cpuacct.usage has both, and run time is all that can be missed: idleness is no matter
    of ticks. So this is how much ours may be short of the kernel's (docs/values.md).
    """
    lines = Path("/proc/stat").read_text().splitlines()
    cpus = sum(line.startswith("cpu") for line in lines) - 1
    ticks = sum(map(int, lines[0].split()[1:9]))  # guest time is in user and nice already
    return time.monotonic_ns() * cpus - ticks * TICK


def assert_cpu_time(what, kernel, ours, missed):
    """Ours is the kernel's, but for what /proc/stat has missed of it."""
    low, high = (kernel[0] - max(missed, 0)) * 0.98, kernel[1] * 1.02
    assert low <= ours <= high, (
        f"{what}: kernel {kernel[0]} to {kernel[1]} ns, ours {ours} ns:"
        f" {100 * (ours / kernel[1] - 1):+.2f} %, missed by /proc/stat {missed} ns")


@pytest.fixture
def cpu_time(roots):
    """cpuacct.usage: ours, the kernel's from just before and just after, and what is unaccounted."""
    ours, theirs = (root / "cpuacct.usage" for root in roots("cpuacct"))

    def read():
        before, got, after = at_once(ours, theirs, int)
        return got, before, after, unaccounted()
    return read


def test_cpu_time(cpu_time):
    ours, before, after, missed = cpu_time()
    assert_cpu_time("cpuacct.usage", (before, after), ours, missed)


# User and system time, on one CPU.
WORK = """
import os, sys, time
os.sched_setaffinity(0, [int(sys.argv[1])])
end = time.monotonic() + 3
while time.monotonic() < end:
    sum(range(30_000))
    os.urandom(100_000)
"""


def test_cpu_time_goes_on(cpu_time):
    """Three seconds of work on all CPUs, when ticks miss next to nothing."""
    first = cpu_time()
    workers = [subprocess.Popen([sys.executable, "-c", WORK, str(cpu)])
               for cpu in os.sched_getaffinity(0)]
    assert not any(worker.wait() for worker in workers)
    second = cpu_time()
    kernel = second[1] - first[2], second[2] - first[1]
    assert kernel[0] > 2.5e9, "no work was done"
    assert_cpu_time("growth", kernel, second[0] - first[0], second[3] - first[3])


def test_cpu_time_adds_up(roots):
    """Per CPU figures, and user and system, make up the whole, as close as the kernel's do."""
    ours, _ = roots("cpuacct")
    for whole, parts in (("usage", "usage_percpu"), ("usage_user", "usage_percpu_user"),
                         ("usage_sys", "usage_percpu_sys")):
        before = int((ours / f"cpuacct.{whole}").read_text())
        total = sum(map(int, (ours / f"cpuacct.{parts}").read_text().split()))
        after = int((ours / f"cpuacct.{whole}").read_text())
        assert before <= total <= after, f"{parts}: {total}, {whole}: {before} to {after}"
    usage = int((ours / "cpuacct.usage").read_text())
    stat = dict(line.split() for line in (ours / "cpuacct.stat").read_text().splitlines())
    ticks = sum(map(int, stat.values()))
    assert abs(ticks * TICK - usage) < usage * 0.02 + 10**8


def test_memory_usage(roots):
    ours, theirs = roots("memory")
    for file in "memory.usage_in_bytes", "memory.memsw.usage_in_bytes":
        assert_memory(file, lambda: at_once(ours / file, theirs / file, int))


FIELDS = ("cache", "rss", "mapped_file", "inactive_anon", "active_anon", "inactive_file",
          "active_file", "unevictable", "shmem", "swap")


@pytest.mark.parametrize("field", FIELDS)
def test_memory_stat(roots, field):
    """All processes are in our root; in the kernel's they may be below it, so its total counts."""
    ours, theirs = roots("memory")

    def total(text):
        fields = dict(map(str.split, text.splitlines()))
        return int(fields[f"total_{field}"])

    assert_memory(f"total_{field}", lambda: at_once(ours / "memory.stat", theirs / "memory.stat",
                                                    total))
    fields = dict(map(str.split, (ours / "memory.stat").read_text().splitlines()))
    assert fields[field] == fields[f"total_{field}"]


def test_cpuset(roots):
    ours, theirs = roots("cpuset")
    for file in "cpus", "mems", "effective_cpus", "effective_mems":
        assert (ours / f"cpuset.{file}").read_text() == (theirs / f"cpuset.{file}").read_text()


@contextlib.contextmanager
def loop_device():
    """A block device of our own: (path, MAJ:MIN)."""
    with tempfile.NamedTemporaryFile(prefix="fcg-oracle-disk-") as file:
        file.truncate(64 << 20)
        made = subprocess.run(["losetup", "--find", "--show", file.name], check=False,
                              capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"no loop device to be had: {made.stderr.strip()}")
        device = made.stdout.strip()
        try:
            number = os.stat(device).st_rdev
            yield device, f"{os.major(number)}:{os.minor(number)}"
        finally:
            subprocess.run(["losetup", "--detach", device], check=True)


@contextlib.contextmanager
def counted(theirs, number):
    """The kernel counts a device's traffic from its first throttling rule on."""
    child = theirs / f"fcg-oracle-{os.getpid()}-blkio"
    child.mkdir()
    try:
        assert ops.write(str(child / "blkio.throttle.read_bps_device"),
                         f"{number} 1099511627776".encode()) == "ok"
        yield
    finally:
        child.rmdir()


def device_bytes(text, number):
    """{direction: bytes} of a device; nothing is 0."""
    found = re.findall(rf"^{number} (\w+) (\d+)$", text, re.M)
    return {"Read": 0, "Write": 0} | {name: int(value) for name, value in found}


def direct_io(device):
    """8 MiB written and 4 MiB read past the page cache."""
    for direction in ("if=/dev/zero", f"of={device}", "count=8", "oflag=direct"), (
            f"if={device}", "of=/dev/null", "count=4", "iflag=direct"):
        subprocess.run(["dd", "bs=1M", *direction], check=True, stderr=subprocess.DEVNULL)


def test_block_device_bytes(roots):
    """Traffic of a device of our own since the kernel began to count it: exact."""
    ours, theirs = (root / "blkio.throttle.io_service_bytes" for root in roots("blkio"))
    with loop_device() as (device, number), counted(theirs.parent, number):
        first = [device_bytes(root.read_text(), number) for root in (ours, theirs)]
        direct_io(device)
        second = [device_bytes(root.read_text(), number) for root in (ours, theirs)]
    got, wanted = ({name: after[name] - before[name] for name in ("Read", "Write")}
                   for before, after in zip(first, second))
    assert wanted["Read"] >= 4 << 20 and wanted["Write"] >= 8 << 20, f"kernel counted {wanted}"
    assert got == wanted
