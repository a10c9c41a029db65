# SPDX-License-Identifier: MIT
"""A container's root, who lacks capabilities: what Docker gives, with and without the right to mount."""

import pytest

import launcher
from launcher import AT, complaint, launch, shell

OTHER = 65534
LOOK = f"stat -f -c %T {AT}/cpu; grep -c ':cpu:/$' /proc/self/cgroup; cat /proc/self/setgroups"

with open("/proc/self/uid_map", encoding="ascii") as known:  # all of them, each by its own number
    ALL = [word for first, _, count in map(str.split, known) for word in (first, first, count)]
if ALL == ["0", "0", "4294967295"]:  # by which runtimes know the first namespace
    ALL[2] = "4294967294"


def without(*capabilities):
    names = ",".join(f"-{name}" for name in capabilities)
    return [*launcher.WITHOUT_CGROUPS, "setpriv", f"--bounding-set={names}", f"--inh-caps={names}"]


def test_without_the_right_to_look_into_others():
    """CAP_SYS_PTRACE: into who has no more rights than it has itself the supervisor looks all the same."""
    assert shell(LOOK, wrapper=without("sys_ptrace")).split() == ["cgroupfs", "1", "allow"]


def test_without_the_right_to_move_others():
    """CAP_SYS_NICE, which cpuset asks for."""
    look = f"cat {AT}/memory/memory.limit_in_bytes; {LOOK}"
    assert shell(look, options=["-m", "64m"], wrapper=without("sys_nice")).split() == \
        [str(64 << 20), "cgroupfs", "1", "allow"]


def test_without_the_right_to_mount():
    """CAP_SYS_ADMIN: all users are in the namespace that gives it."""
    script = f"""{LOOK}; cat /proc/self/uid_map; touch $1; chown {OTHER}:{OTHER} $1; stat -c %u:%g $1
        exec setpriv --reuid {OTHER} --regid {OTHER} --clear-groups sh -c '{LOOK}; id -u'"""
    with launcher.temporary() as directory:
        out = shell(script, directory / "file", wrapper=without("sys_admin", "sys_ptrace"))
        (directory / "file").unlink()
    assert out.split() == ["cgroupfs", "1", "allow", *ALL, f"{OTHER}:{OTHER}",
                           "cgroupfs", "1", "allow", str(OTHER)]


def test_device_is_made():
    """Before a user namespace is entered, in which none can be."""
    prepare = 'mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; exec "$@"'
    wrapper = ["unshare", "-m", "--propagation", "private", "sh", "-ec", prepare, "sh", *without("sys_admin")]
    assert shell("stat -c '%F %t:%T %a' /dev/fuse", wrapper=wrapper) == "character special file a:e5 666\n"


@pytest.mark.parametrize("missing, users", [("setuid", ["0", "0", "1"]), ("setgid", ALL)])
def test_without_the_right_to_map_all(missing, users):
    """Who may not map all users or all groups is there alone."""
    out = shell(f"{LOOK}; cat /proc/self/uid_map; id -G", wrapper=without("sys_admin", missing))
    assert out.split() == ["cgroupfs", "1", "deny", *users, "0"]


def test_without_the_right_to_map_root():
    line = complaint(launch("true", wrapper=without("sys_admin", "setfcap")))
    assert line.endswith("root needs CAP_SETFCAP for that, any other user nothing")
