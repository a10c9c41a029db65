"""--redirect: paths below /sys/fs/cgroup lead to a mount elsewhere, with nothing mounted there."""

import os

import pytest

import launcher
import mounting
import paths
import probes
from launcher import AT, HIERARCHIES, shell

CALLS = [(paths.stats, "cpu/cpu.shares"), (paths.stats, "memory"), (paths.stats, "no-such"),
         (paths.stats, "cpu/cpu.shares/below"), (paths.stats, "memory/memory.force_empty"),
         (paths.opens, "cpu/cpu.shares"), (paths.opens, "cpu"), (paths.opens, "cpu/no-such"),
         (paths.opens, "cpu/cpu.stat"), (paths.directories, "pids"), (paths.refusals, "pids"),
         (paths.attributes, "cpu/cpu.shares"), (paths.extended_attributes, "cpu/cpu.shares"),
         (paths.watches, "freezer"), (paths.faults, "cpu/cpu.shares"), (paths.below, "cpuset")]


@pytest.fixture(scope="module")
def mount():
    with mounting.mount_point() as path:
        daemon = mounting.Daemon(path)
        yield daemon
        assert daemon.stop() == (0, "")


@pytest.fixture(scope="module")
def redirected(mount):
    with launcher.Inside("--redirect", "--root", str(mount.path)) as program:
        yield program


@pytest.mark.parametrize("function, path", CALLS, ids=[f"{f.__name__}-{p}" for f, p in CALLS])
def test_as_on_the_mount(mount, redirected, function, path):
    """The same program's same call says the same by either path."""
    direct = redirected.call(function, str(mount.path), path)
    assert redirected.call(function, AT, path) == direct


@pytest.mark.parametrize("function, path", [
    (paths.stats, "cpu/cpu.shares"), (paths.stats, "memory/memory.force_empty"),
    (paths.opens, "cpu/cpu.shares"), (paths.refusals, "pids")])
def test_with_the_rights_of_the_task(mount, redirected, function, path):
    """An ordinary user may no more than on the mount."""
    direct = redirected.call(paths.as_user, 1234, [], function, str(mount.path), path)
    assert direct and redirected.call(paths.as_user, 1234, [], function, AT, path) == direct


def test_a_group_of_the_task_counts(mount, redirected):
    """What a supplementary group may is not lost."""
    file = mount / "cpu" / "cpu.shares"
    os.chown(file, 0, 4321)
    os.chmod(file, 0o060)
    answers = [[redirected.call(paths.as_user, 1234, groups, paths.opens, base, "cpu/cpu.shares")
                for groups in ([], [4321])] for base in (str(mount.path), AT)]
    assert answers[0] == answers[1] and answers[0][0] != answers[0][1]
    os.chown(file, 0, 0)
    os.chmod(file, 0o644)


def test_a_descriptor_of_the_path_only(redirected):
    """The kernel gives none to another task: it is open for reading."""
    opened = redirected.call(probes.read_at, f"{AT}/cpu", "cpu.shares")
    assert redirected.call(probes.with_open, f"{AT}/cpu", os.O_PATH, probes.read,
                           "/proc/self/fd/{}/cpu.shares") == opened


def test_filesystem_type(redirected):
    assert redirected.call(probes.statfs, AT)["type"] == probes.TMPFS
    assert redirected.call(probes.statfs, f"{AT}/cpu/cpu.shares")["type"] == probes.CGROUP
    assert redirected.call(probes.fstatfs_of, f"{AT}/memory")["type"] == probes.CGROUP
    assert redirected.call(probes.statfs, "/proc")["type"] == probes.PROC


def test_tables_tell_of_the_place(redirected):
    """Where programs find the tree, not where it is."""
    mountinfo = redirected.call(probes.read, "/proc/self/mountinfo")
    mounts = probes.mounts(mountinfo)
    assert {AT: "tmpfs", **{f"{AT}/{name}": "cgroup" for name in HIERARCHIES}} == {
        point: kind for point, (kind, _, _) in mounts.items() if kind == "cgroup" or point == AT}
    points = [line.split()[1] for line in redirected.call(probes.read, "/proc/mounts").splitlines()]
    assert points == [line.split()[4] for line in mountinfo.splitlines()]
    assert f"mounted on {AT}/cpu with fstype cgroup\n" in redirected.call(probes.read, "/proc/self/mountstats")


def test_other_paths_are_left_alone(redirected):
    """Only whole names are the tree's."""
    for path in (f"{AT}-other", "/sys/fs", "/etc", "relative", ""):
        assert redirected.call(paths.stats, path, "") == redirected.call(paths.stats, path, "")
    assert redirected.call(paths.said, paths.SYS_MKDIR, f"{AT}x".encode(), 0o755) in ("EPERM", "EACCES")


def test_membership_and_limits():
    """With a daemon of its own, and the command's cgroup as the root."""
    out = shell(f"mkdir {AT}/pids/a; echo $$ > {AT}/pids/a/cgroup.procs; grep pids: /proc/self/cgroup;"
                f"cat {AT}/memory/memory.limit_in_bytes {AT}/pids/a/pids.max; echo 0 > {AT}/pids/cgroup.procs;"
                f"echo $$ > {AT}/pids/cgroup.procs; rmdir {AT}/pids/a",
                options=["--redirect", "--memory", "64m"])
    assert out.splitlines()[0].endswith(":pids:/a") and out.splitlines()[1:] == ["67108864", "max"]


def test_another_place():
    out = shell("ls /no/such/place; cat /no/such/place/cpu/cpu.shares",
                options=["--redirect", "--at", "/no/such/place"])
    assert out.split() == [*sorted(HIERARCHIES), "1024"]


def test_changing_directory_is_the_kernels():
    """What docs/run.md says: no supervisor can do it for a task."""
    out = shell("cd /no/such/place 2>/dev/null || echo refused",
                options=["--redirect", "--at", "/no/such/place"])
    assert out == "refused\n"
