# SPDX-License-Identifier: MIT
"""An ordinary user, by way of a user namespace: where /dev/fuse may be opened, and where not."""

import os
import re

import pytest

import launcher
import probes
import rights
from launcher import AT, HIERARCHIES, Inside, complaint, launch
from processes import error_of
from test_rights import needs_landlock

UID = 12345  # nobody's

# A /dev of its own whose fuse has the given mode, and the machine's cgroups left where they are or not.
PREPARE = """
mode=$1; shift
dev=$(mktemp -d)
mount -t tmpfs tmpfs "$dev"
for name in null zero full random urandom tty; do
    touch "$dev/$name"; mount --bind "/dev/$name" "$dev/$name"
done
mknod -m "$mode" "$dev/fuse" c 10 229
ln -s /proc/self/fd "$dev/fd"
mount --move "$dev" /dev
rmdir "$dev"
exec setpriv --reuid %d --regid %d --clear-groups "$@"
""" % (UID, UID)


def as_user(mode="0666", cgroups=False):
    prepare = ["unshare", "-m", "--propagation", "private", "sh", "-ec", PREPARE, "sh", mode]
    return prepare if cgroups else [*launcher.WITHOUT_CGROUPS, *prepare]


@pytest.fixture(scope="module", params=[False, True], ids=["without cgroups", "with cgroups"])
def program(request):
    with user_program(cgroups=request.param) as running:
        yield running


def user_program(*options, cgroups=False):
    return Inside(*options, wrapper=as_user(cgroups=cgroups))


def test_who_it_is(program):
    """The user is who it was: no root, no capability, no group more."""
    assert program.call(os.getresuid) == (UID, UID, UID)
    assert program.call(os.getresgid) == (UID, UID, UID)
    status = program.call(probes.read, "/proc/self/status")
    fields = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == int(fields["CapAmb"], 16) == 0
    assert int(fields["CapInh"], 16) == 0
    assert error_of(program.call, os.setuid, 0) in ("EPERM", "EINVAL")


def test_no_more_rights_than_its_own(program):
    """The supervisor has the capabilities of the user namespace; the command has not."""
    closed = program.directory / "closed"
    program.call(os.mkdir, closed)
    program.call(os.symlink, "/proc/self/mountinfo", closed / "mtab")
    program.call(os.symlink, f"{AT}/cpu", closed / "tree")
    try:
        assert program.call(rights.openings, [closed / "mtab"]) == [(None, None)]
        program.call(os.chmod, closed, 0)
        assert program.call(rights.openings, [closed / "mtab", closed / "tree"]) == [("EACCES", "EACCES")] * 2
    finally:
        program.call(os.chmod, closed, 0o700)
        for name in ("mtab", "tree"):
            program.call(os.unlink, closed / name)
        program.call(os.rmdir, closed)


@needs_landlock
def test_landlock(program):
    """Marked without CAP_SYS_RESOURCE too: the kernel says what may be read."""
    assert program.call(rights.as_task, rights.root, rights.restricted_to, ["/etc"], rights.opening,
                        "/proc/self/mountinfo") == "EACCES"
    assert program.call(rights.as_task, rights.root, rights.opening, "/proc/self/mountinfo") is None


def test_types(program):
    assert program.call(probes.statfs, AT)["type"] == probes.TMPFS
    assert program.call(probes.statfs, f"{AT}/cpu")["type"] == probes.CGROUP
    assert program.call(probes.fstatfs_of, f"{AT}/memory/memory.stat")["type"] == probes.CGROUP


def test_tables(program):
    mounts = probes.mounts(program.call(probes.read, "/proc/self/mountinfo"))
    assert mounts[AT][:2] == ("tmpfs", "tmpfs")
    found = {point: mount for point, mount in mounts.items() if mount[0].startswith("cgroup")}
    assert sorted(found) == sorted(f"{AT}/{name}" for name in HIERARCHIES)
    assert program.call(probes.read, "/proc/mounts").count(f"cgroup {AT}/") == len(HIERARCHIES)
    assert program.call(probes.read,
                        "/proc/self/mountstats").count("with fstype cgroup\n") == len(HIERARCHIES)
    assert "8:memory:/\n" in program.call(probes.read, "/proc/self/cgroup")
    assert "8:memory:/\n" in program.call(probes.read, "/proc/1/cgroup")
    assert program.call(probes.read, "/proc/self/cpuset") == "/\n"
    assert "memory\t8\t1\t1\n" in program.call(probes.read, "/proc/cgroups")


def test_tree(program):
    status, out, err = program.call(probes.run, "sh", "-ec", f"""
        mkdir {AT}/memory/child
        echo 64M > {AT}/memory/child/memory.limit_in_bytes
        echo $$ > {AT}/memory/child/cgroup.procs
        cat {AT}/memory/child/memory.limit_in_bytes
        grep :memory: /proc/self/cgroup
        sh -c 'grep :memory: /proc/thread-self/cgroup'
        test $(cat {AT}/memory/child/memory.usage_in_bytes) -gt 0
        echo $$ > {AT}/memory/cgroup.procs
        rmdir {AT}/memory/child""")
    assert (status, err) == (0, "")
    assert out.split() == ["67108864", "8:memory:/child", "8:memory:/child"]


def test_namespaces_within(program):
    """Namespaces and roots of a container without root: rootless runc's."""
    look = f"grep :memory: /proc/self/cgroup; stat -f -c %T {AT}/cpu; grep -c ' - cgroup ' " \
           "/proc/self/mountinfo"
    for how in (["--map-root-user"], ["--map-root-user", "--mount"],
                ["--map-root-user", "--pid", "--fork", "--mount-proc"]):
        status, out, err = program.call(probes.run, "unshare", *how, "sh", "-ec", look)
        assert (status, out.split(), err) == (0, ["8:memory:/", "cgroupfs", "13"], ""), how


def test_limits():
    with user_program("--memory", "256m", "--cpus", "0.5", "--pids-limit", "50") as running:
        assert running.call(probes.read, f"{AT}/memory/memory.limit_in_bytes") == f"{256 << 20}\n"
        assert running.call(probes.read, f"{AT}/cpu/cpu.cfs_quota_us") == "50000\n"
        assert running.call(probes.read, f"{AT}/pids/pids.max") == "50\n"
        assert running.call(probes.read, "/proc/self/cgroup").count(":/\n") == len(HIERARCHIES)


def test_again_and_again():
    """Reliably so: each start and end in full."""
    for i in range(10):
        result = launch("sh", "-ec", f"stat -f -c %T {AT}/cpu; grep -c ' - cgroup ' /proc/mounts || :; "
                        "grep :cpu: /proc/self/cgroup; exit 3", wrapper=as_user(cgroups=i % 2))
        assert (result.returncode, result.stdout, result.stderr) == (3, "cgroupfs\n0\n2:cpu:/\n", "")


def test_daemon_killed():
    from test_ends import SAID, kill_daemon
    running = user_program()
    running.call(os.mkdir, f"{AT}/cpu/child")
    kill_daemon(running)
    assert running.call(os.path.isdir, f"{AT}/cpu/child")
    assert running.call(probes.statfs, f"{AT}/cpu")["type"] == probes.CGROUP
    running.close(0, SAID)


# --- where it cannot be ---

def test_fuse_may_not_be_opened():
    line = complaint(launch("true", wrapper=as_user("0600")))
    assert "/dev/fuse" in line and "Permission denied" in line


def test_no_user_namespaces():
    forbid = "echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all " \
             "--inh-caps=-all \"$@\""
    line = complaint(launch("true", wrapper=[*as_user(), "unshare", "--user", "--map-root-user", "sh", "-ec",
                                             forbid, "sh"]))
    assert re.fullmatch(r"fuse_cgroup_run: a mount namespace of its own cannot be had: .*: "
                        r"run as root, or where user namespaces are permitted", line)
