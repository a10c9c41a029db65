# SPDX-License-Identifier: MIT
"""Readers in namespaces and roots of their own, as containers are."""

import re
import subprocess

import pytest

import launcher
import mounting
import probes
from launcher import AT, HIERARCHIES, shell

# Whoever reads: the memberships, the type by statfs, and the lines of the mounts.
LOOK = f"""
grep memory /proc/self/cgroup /proc/thread-self/cgroup
stat -f -c %T {AT} {AT}/memory
grep -c ' - cgroup cgroup ' /proc/self/mountinfo
grep -c '^cgroup {AT}/.* cgroup ' /proc/mounts
"""
SEEN = """/proc/self/cgroup:8:memory:{0}
/proc/thread-self/cgroup:8:memory:{0}
tmpfs
cgroupfs
13
13
"""
MOVE = f"mkdir {AT}/memory/own; echo $$ > {AT}/memory/own/cgroup.procs\n"
BACK = f"echo $$ > {AT}/memory/cgroup.procs; rmdir {AT}/memory/own\n"


@pytest.mark.parametrize("namespaces", [
    "--mount", "--pid --fork --mount-proc", "--pid --fork --mount-proc --uts --ipc --net --cgroup",
    "--map-root-user", "--map-root-user --mount", "--map-root-user --pid --fork --mount-proc",
    "--user --pid --fork --mount-proc"])
def test_namespaces(namespaces):
    if "--user" in namespaces:
        namespaces += " --map-current-user"
    out = shell(MOVE + f"unshare {namespaces} sh -ec \"$1\"\n" + BACK, LOOK)
    assert out == SEEN.format("/" if "--cgroup" in namespaces else "/own")


def test_nested_twice():
    inner = "unshare --pid --fork --mount-proc sh -ec \"$1\""
    out = shell(MOVE + f"unshare --pid --fork --mount-proc sh -ec '{inner}' sh \"$1\"\n" + BACK, LOOK)
    assert out == SEEN.format("/own")


def test_numbers_of_an_inner_proc():
    """Processes by their numbers inside, in the inner /proc and in the outer one at another place."""
    out = shell(f"""
        mkdir {AT}/memory/one {AT}/memory/two "$TMPDIR/outer"
        mount --bind /proc "$TMPDIR/outer"
        unshare --pid --fork --mount-proc sh -ec '
            echo 1 > {AT}/memory/one/cgroup.procs
            sleep 100 &
            echo $! > {AT}/memory/two/cgroup.procs
            cat /proc/1/cgroup /proc/$!/cgroup /proc/self/cgroup /proc/$!/task/$!/cgroup | grep memory
            cat /proc/1/cpuset
            grep -c cgroup, /proc/$!/mountinfo /proc/1/mounts || :
            grep memory "$TMPDIR"/outer/self/cgroup /dev/null | sed "s/.*8:/8:/"
            kill $!; wait' 2>/dev/null || :
        umount "$TMPDIR/outer"
        rmdir {AT}/memory/one {AT}/memory/two "$TMPDIR/outer"
    """)
    assert out.split() == ["8:memory:/one", "8:memory:/two", "8:memory:/one", "8:memory:/two", "/",
                           "/proc/2/mountinfo:0", "/proc/1/mounts:0", "8:memory:/one"]


def test_inner_process_seen_from_outside():
    with launcher.Inside() as program:
        assert program.call(look_at_inner) == ["8:memory:/one", "12", "12", "13"]


def look_at_inner():
    """A child with a pid and mount namespace of its own, and what its parent sees of it."""
    import os
    import subprocess
    script = f"echo 1 > {AT}/memory/one/cgroup.procs; umount {AT}/blkio; echo up; read x"
    os.mkdir(f"{AT}/memory/one")
    command = ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-ec", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        child.stdout.readline()
        with open(f"{AT}/memory/one/cgroup.procs", encoding="ascii") as file:
            pid = file.read().strip()
        found = [re.search("8:memory:.*", probes.read(f"/proc/{pid}/cgroup"))[0]]
        for name, line in (("mountinfo", " - cgroup "), ("mounts", " cgroup rw")):
            found.append(str(probes.read(f"/proc/{pid}/{name}").count(line)))
        found.append(str(probes.read("/proc/self/mountinfo").count(" - cgroup ")))
        child.stdin.write("\n")
    os.rmdir(f"{AT}/memory/one")
    return found


REMOVED = f"""
cgroup={AT}/memory/fcg-removed-$$
mkdir "$cgroup" "$cgroup/in" "$TMPDIR/bound"; touch "$TMPDIR/file"
mount --bind "$cgroup/in" "$TMPDIR/bound"; mount --bind "$cgroup/in/memory.stat" "$TMPDIR/file"
rmdir "$cgroup/in" "$cgroup"
grep "$TMPDIR" /proc/self/mountinfo | sed "s/.* \\(\\/[^ ]*fcg-removed-\\)[0-9]*\\([^ ]*\\) .*/\\1N\\2/"
umount "$TMPDIR/bound" "$TMPDIR/file"; rmdir "$TMPDIR/bound"; rm "$TMPDIR/file"
"""


def test_mount_of_a_removed_cgroup():
    """The kernel's cgroups do not tell, as other filesystems do, that the root is deleted."""
    out = shell("unshare -m sh -ec \"$1\"", REMOVED)
    assert out == "/fcg-removed-N/in\n/fcg-removed-N/in/memory.stat\n"
    if any(" - cgroup " in line and f" {AT}/memory " in line
           for line in open("/proc/self/mountinfo", encoding="utf-8")):
        with launcher.temporary() as directory:
            kernels = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-ec", REMOVED],
                                     text=True,
                                     env=launcher.environment(directory), stdout=subprocess.PIPE,
                                     check=True).stdout
        assert re.sub(r"^.*(?=/fcg)", "", kernels, flags=re.M) == out


def test_mounts_of_the_users():
    """A hierarchy bound elsewhere, a child of it, a file of it; one taken away."""
    out = shell(f"""
        mkdir {AT}/cpu/child "$TMPDIR/whole" "$TMPDIR/child"; touch "$TMPDIR/file"
        unshare -m sh -ec '
            mount --bind {AT}/cpu "$TMPDIR/whole"
            mount --bind {AT}/cpu/child "$TMPDIR/child"
            mount --bind {AT}/cpu/cpu.shares "$TMPDIR/file"
            mount -o remount,bind,ro "$TMPDIR/child"
            umount {AT}/pids
            grep "$TMPDIR" /proc/self/mountinfo | cut -d " " -f 4-
            grep "$TMPDIR" /proc/self/mounts
            grep "$TMPDIR" /proc/self/mountstats
            grep -c " - cgroup .*pids" /proc/self/mountinfo || :
            stat -f -c %T "$TMPDIR/whole" "$TMPDIR/child" "$TMPDIR/file"'
        rmdir {AT}/cpu/child "$TMPDIR/whole" "$TMPDIR/child"; rm "$TMPDIR/file"
        """)
    directory = re.search(r"(/\S*fcg-run-\w+)/whole", out)[1]
    options = "rw,nosuid,nodev,noexec,relatime"
    assert re.sub(" shared:[0-9]+| master:[0-9]+", "", out).replace(directory, "DIR").splitlines() == [
        f"/ DIR/whole {options} - cgroup cgroup rw,cpu",
        f"/child DIR/child {options.replace('rw', 'ro')} - cgroup cgroup rw,cpu",
        f"/cpu.shares DIR/file {options} - cgroup cgroup rw,cpu",
        f"cgroup DIR/whole cgroup {options},cpu 0 0",
        f"cgroup DIR/child cgroup {options.replace('rw', 'ro')},cpu 0 0",
        f"cgroup DIR/file cgroup {options},cpu 0 0",
        "device cgroup mounted on DIR/whole with fstype cgroup",
        "device cgroup mounted on DIR/child with fstype cgroup",
        "device cgroup mounted on DIR/file with fstype cgroup",
        "0", "cgroupfs", "cgroupfs", "cgroupfs"]


def test_chroot():
    """Mount points are told from the root of the reader."""
    out = shell(f"""
        mkdir "$TMPDIR/root"
        unshare -m sh -ec '
            mount --rbind / "$TMPDIR/root"
            mount -t proc proc "$TMPDIR/root/proc"
            chroot "$TMPDIR/root" sh -ec "$1"
            chroot "$TMPDIR/root" grep " {AT}/cpu " /proc/self/mountinfo | cut -d " " -f 4,5
            ' sh "$1"
        rmdir "$TMPDIR/root"
        """, LOOK)
    assert out == SEEN.format("/") + f"/ {AT}/cpu\n"


def test_chroot_without_cgroups():
    """Where the tree is not visible there is no line of it, but everyone is in it."""
    out = shell("""
        mkdir "$TMPDIR/root"
        unshare -m sh -ec '
            mount --bind / "$TMPDIR/root"
            mount -t proc proc "$TMPDIR/root/proc"
            chroot "$TMPDIR/root" sh -c "grep -c cgroup /proc/self/mountinfo; grep -c cgroup /proc/mounts;
                cat /proc/self/cgroup | wc -l"'
        rmdir "$TMPDIR/root"
        """)
    assert out.split() == ["0", "0", str(len(HIERARCHIES))]


def test_whole_mount(start):
    """The FUSE mount's own top, which --root leaves where it is: a tmpfs and its hierarchies."""
    daemon = start()
    with launcher.Inside("--root", daemon.path) as program:
        point = str(daemon.path)
        found = {where[len(point):]: what
                 for where, what in probes.mounts(program.call(probes.read, "/proc/self/mountinfo")).items()
                 if where.startswith(point)}
        assert found.pop("") == ("tmpfs", "tmpfs", "rw,mode=755")
        assert found == {f"/{name}": ("cgroup", "cgroup",
                                      "rw," + ("name=" if name == "systemd" else "") + name)
                         for name in HIERARCHIES}
        numbers = [line.split()[0]
                   for line in program.call(probes.read, "/proc/self/mountinfo").splitlines()]
        assert len(numbers) == len(set(numbers))
        mounts = [line.split()[:3] for line in program.call(probes.read, "/proc/mounts").splitlines()
                  if line.split()[1].startswith(point)]
        assert mounts[0] == ["tmpfs", point, "tmpfs"]
        assert sorted(mounts[1:]) == [["cgroup", f"{point}/{name}", "cgroup"] for name in HIERARCHIES]
        stats = program.call(probes.read, "/proc/self/mountstats")
        assert stats.count(f" mounted on {point}") == len(HIERARCHIES) + 1
        assert program.call(probes.statfs, point)["type"] == probes.TMPFS
        assert program.call(probes.statfs, f"{point}/cpu")["type"] == probes.CGROUP
        assert mounting.mounts_on(point) == 1


def test_another_fuse_mount(start):
    """A fuse_cgroupfs that is not the one shown stays what it is."""
    daemon = start()
    with launcher.Inside() as program:
        mounts = probes.mounts(program.call(probes.read, "/proc/self/mountinfo"))
        assert mounts[str(daemon.path)][0] == "fuse.cgroupfs"
        assert program.call(probes.statfs, str(daemon.path))["type"] == probes.FUSE
