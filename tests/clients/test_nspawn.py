# SPDX-License-Identifier: MIT
"""systemd-nspawn without systemd: a container below the cgroup that it is started in."""

import pytest

import oci
import trees

pytestmark = pytest.mark.version(2)
LOOK = """cat /proc/self/cgroup
grep -c "^0::/$" /proc/1/cgroup
grep " /sys/fs/cgroup " /proc/self/mountinfo
cat /sys/fs/cgroup/cgroup.type /sys/fs/cgroup/memory.max
mkdir /sys/fs/cgroup/b && echo $$ >/sys/fs/cgroup/b/cgroup.procs && cat /proc/self/cgroup"""


def rootfs(directory):
    """A root with busybox only, which nspawn takes for an operating system."""
    oci.make_rootfs(directory)
    for name in ("usr", "etc", "run", "var", "tmp"):
        (directory / name).mkdir(exist_ok=True)
    (directory / "etc/os-release").touch()
    return directory


def nspawn(tree, name, *words):
    """The command in a container, whose cgroups are made below `name`."""
    enter = f'echo $$ >{trees.STANDARD}/{name}/cgroup.procs; exec "$@"'
    return ["sh", "-c", enter, "sh", "env", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", "systemd-nspawn", "--quiet",
            "--register=no", "--keep-unit", f"--directory={rootfs(tree.directory / 'rootfs')}",
            f"--machine={tree.unique}", *words]


def test_life(tree):
    name = f"{tree.unique}/a"
    tree.make_cgroup(name, ())
    out = tree.out(*nspawn(tree, name, "/bin/sh", "-c", LOOK)).splitlines()
    assert out[:2] == ["0::/", "1"]
    fields = out[2].split(" - ")
    assert fields[0].split()[3:5] == ["/", trees.STANDARD] and fields[1].split()[0] == "cgroup2"
    assert out[3:] == ["domain", "max", "0::/b"]
    # It leaves its two cgroups, as with the kernel's: systemd would remove the unit's.
    for child in ("payload/b", "payload", "supervisor"):
        assert not tree.processes("", f"{name}/{child}")
        tree.path("", f"{name}/{child}").rmdir()
    tree.remove_cgroup(name)


def test_who_is_where(tree):
    name = f"{tree.unique}/a"
    tree.make_cgroup(name, ())
    pid = tree.start(*nspawn(tree, name, "/bin/sleep", "1000"), log=tree.directory / "log")
    payload = tree.path("", f"{name}/payload")
    trees.until(lambda: payload.exists() and tree.processes("", f"{name}/payload"), "the payload runs")
    assert tree.processes("", f"{name}/supervisor") == {pid}
    assert not tree.processes("", name)
    (payload / "cgroup.kill").write_text("1")
    assert tree.stop(pid) != 0
    trees.until(lambda: "populated 0" in tree.read("", name, "cgroup.events"), "all have ended")
    for child in ("payload", "supervisor"):
        tree.path("", f"{name}/{child}").rmdir()
    tree.remove_cgroup(name)
