# SPDX-License-Identifier: MIT
"""The kernel's own cgroups of v1 below ours (-o native): gVisor's, or children of Linux's."""

import contextlib
import os
import pathlib
import subprocess
import time

import pytest

import mounting
from mounting import newest, wait_until
from processes import Helper

NAMES = ("cpu", "cpuacct", "memory", "pids")
GVISOR = mounting.in_gvisor()
CLONE_PARENT = pathlib.Path(__file__).with_name("clone_parent.py").read_text(encoding="utf-8")
BUSY = "i=0; while [ $i -lt 60000 ]; do i=$((i + 1)); done"


@contextlib.contextmanager
def gvisors(path):
    for name in NAMES:
        (path / name).mkdir()
        subprocess.run(["mount", "-t", "cgroup", "-o", name, name, path / name], check=True)
    yield
    for name in NAMES:
        subprocess.run(["umount", path / name], check=True)


@contextlib.contextmanager
def linux(path):
    kernel = mounting.Kernel(path)
    missing = [name for name in NAMES if name not in kernel.cgroups]
    if not missing:
        yield
    kernel.leave()
    if missing:
        pytest.skip(f"the kernel has no hierarchy of {', '.join(missing)} mounted")


@pytest.fixture(name="native")
def fixture_native(tmp_path):
    """Directories of the kernel's hierarchies, for us to look at."""
    with gvisors(tmp_path) if GVISOR else linux(tmp_path):
        yield tmp_path
        assert left(tmp_path) == []


# auto: those that gVisor has, mounted where nobody sees them.
@pytest.fixture(name="ours", params=["directory", *["auto"] * GVISOR])
def fixture_ours(native, request):
    where = "auto" if request.param == "auto" else native
    with mounting.mount_point() as path:
        daemon = mounting.Daemon(path, "-o", f"native={where},accounting=scan")
        yield path
        assert daemon.stop() == (0, "")


def left(native):
    """Directories that are there, in all hierarchies."""
    return [str(path) for name in NAMES for path in (native / name).iterdir() if path.is_dir()]


@contextlib.contextmanager
def member(*cgroups):
    """A process in these cgroups, which works at each line, tells that it has, and waits for the next one."""
    with subprocess.Popen(["sh", "-c", f"while read go; do {BUSY}; echo done; done"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        for cgroup in cgroups:
            (cgroup / "cgroup.procs").write_text(str(process.pid))
        yield process
        process.kill()


def work(process):
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


def number(path):
    return int(path.read_text())


def is_between(native, ours, file):
    """Each figure of the file."""
    texts = [(top / file).read_text().split() for top in (native, ours, native)]
    return all(int(before) <= int(shown) <= int(after) for before, shown, after in zip(*texts)
               if shown.isdigit())


def settled(path):
    """A figure of who has ended: the last moments of one may come after it was waited for."""
    def is_settled():
        before = number(path)
        time.sleep(0.05)
        return number(path) == before
    assert wait_until(is_settled)
    return number(path)


def place(native, controller, pid):
    """Where the kernel has it, from our root on."""
    def path(pid):
        lines = pathlib.Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[2] for line in lines if line.split(":")[1] == controller)
    top = "" if GVISOR else f"/{(native / controller).resolve().name}"
    assert path(pid).startswith(top)
    return path(pid)[len(top):] or "/"


def test_auto():
    """It is gVisor's own, which has none of freezer."""
    said = "-o native=auto: this is not gVisor: name the directory that cgroups of v1 are mounted in"
    if GVISOR:
        said = "-o native=auto: No such device: " \
            "gVisor has none of these, or lets only CAP_SYS_ADMIN mount them"
    with mounting.mount_point() as path:
        result = mounting.run("-f", "-o", "native=auto,controllers=freezer", path)
    assert (result.returncode, result.stderr) == (1, f"fuse_cgroupfs: {said}\n")


def test_what_is_made_moved_and_removed(native, ours):
    for name in NAMES:
        (ours / name / "a" / "b").mkdir(parents=True)
        assert (native / name / "a" / "b").is_dir()
    with member(ours / "cpuacct/a/b", ours / "pids/a") as process:
        assert [place(native, name, process.pid) for name in ("cpuacct", "pids")] == ["/a/b", "/a"]
        with pytest.raises(OSError, match="busy"):
            (ours / "cpuacct/a/b").rmdir()
        (ours / "cpuacct/cgroup.procs").write_text(str(process.pid))
        assert place(native, "cpuacct", process.pid) == "/"
    for _ in range(5):
        (ours / "cpuacct/a/b").rmdir()
        (ours / "cpuacct/a/b").mkdir()
    assert (native / "cpuacct/a/b").is_dir()
    with pytest.raises(PermissionError):
        (ours / "cpuacct/a").rename(ours / "cpuacct/c")
    (ours / "cpu/a/b").rmdir()
    assert wait_until(lambda: not (native / "cpu/a/b").exists())


def test_what_was_left_there(native, ours):
    """Without tasks it is made anew; with some it is not ours."""
    (native / "cpuacct/empty").mkdir()
    (native / "cpuacct/busy").mkdir()
    with member(native / "cpuacct/busy"):
        (ours / "cpuacct/empty").mkdir()
        with pytest.raises(OSError, match="busy"):
            (ours / "cpuacct/busy").mkdir()
        assert not (ours / "cpuacct/busy").exists()
    assert wait_until(lambda: mounting.remove(native / "cpuacct/busy"))


def test_members_at_the_end(native):
    """They are not left there, nor is a directory."""
    with mounting.mount_point() as path:
        daemon = mounting.Daemon(path, "-o", f"native={native}")
        (path / "cpuacct/a/b").mkdir(parents=True)
        with member(path / "cpuacct/a/b") as process:
            assert daemon.stop() == (0, "")
            assert place(native, "cpuacct", process.pid) == "/"


def test_processor_time(native, ours):
    """As the kernel tells it, and of cgroups that are gone, too, which gVisor forgets."""
    a = ours / "cpuacct/a"
    (a / "b").mkdir(parents=True)
    with member(a) as process:
        work(process)
        for file in ("usage", "usage_user", "usage_sys", "stat"):
            assert is_between(native, ours, f"cpuacct/a/cpuacct.{file}")
    with member(a / "b") as process:
        work(process)
    before, gone = settled(a / "cpuacct.usage"), settled(a / "b/cpuacct.usage")
    assert 0 < gone < before == number(native / "cpuacct/a/cpuacct.usage")
    (a / "b").rmdir()
    assert wait_until(lambda: not (native / "cpuacct/a/b").exists())
    assert wait_until(lambda: number(a / "cpuacct.usage") == before)
    assert number(native / "cpuacct/a/cpuacct.usage") == (before - gone if GVISOR else before)
    (a / "cpuacct.usage").write_text("0")
    assert number(a / "cpuacct.usage") == 0


if GVISOR:  # where each scan takes a number, to know what there is
    def test_no_scan_for_what_the_kernel_tells(ours):
        (ours / "cpuacct/a").mkdir()
        with member(ours / "cpuacct/a"):
            def scans():
                before = newest()
                for _ in range(200):
                    (ours / "cpuacct/a/cpuacct.usage").read_text()
                return newest() - before - 1
            assert wait_until(lambda: scans() <= 50)


@pytest.mark.parametrize("file, value, theirs", [
    ("cpu/a/cpu.shares", "200", 200), ("cpu/a/cpu.cfs_period_us", "50000", 50000),
    ("cpu/a/cpu.cfs_quota_us", "20000", 20000), ("cpu/a/cpu.cfs_quota_us", "-1", -1),
    ("memory/a/memory.limit_in_bytes", "100M", 100 << 20),
    ("pids/a/pids.max", "3", 3), ("pids/a/pids.max", "max", 4194304)])
def test_limits(native, ours, file, value, theirs):
    (ours / file).parent.mkdir()
    (ours / file).write_text("1000" if "max" in file else "100000")
    (ours / file).write_text(value)
    assert number(native / file) == theirs


def test_clone_parent(ours):
    """A child that becomes its creator's sibling (runc's way to start a container) is its creator's."""
    names = ("cpuacct", "pids", "net_cls")  # the last one is ours alone
    for name in names:
        (ours / name / "a").mkdir()
    with Helper(CLONE_PARENT) as helper:
        creator = int(helper.ask("start"))
        for name in names:
            (ours / name / "a/cgroup.procs").write_text(str(creator))
        sibling = int(helper.ask("clone"))
        if not sibling:
            pytest.skip("clone(CLONE_PARENT) is not to be had")
        for name in names:
            shown = (ours / name / "a/cgroup.procs").read_text().split()
            assert shown == [str(pid) for pid in sorted((creator, sibling))]
        os.kill(creator, 9)
        os.kill(sibling, 9)
    assert wait_until(lambda: not any((ours / name / "a/cgroup.procs").read_text() for name in names))
