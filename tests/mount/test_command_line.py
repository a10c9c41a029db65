# SPDX-License-Identifier: MIT
"""What the daemon says when it cannot serve: one clear line, status 1, nothing mounted."""

import os
import pathlib
import re
import shutil

import pytest

import mounting
from mounting import mounts_on, run
from processes import NOBODY

MODES = pytest.mark.parametrize("mode", [["-f"], []], ids=["foreground", "background"])


def complaint(result, path):
    """The one line of a failed start."""
    assert result.returncode == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("fuse_cgroupfs: ")
    assert not path or not mounts_on(path)
    return lines[0]


def test_help():
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: ")
    for word in ("MOUNTPOINT", "-f", "-d", "-s", "controllers=", "fusermount3 -u"):
        assert word in result.stdout
    assert run("-h").stdout == result.stdout


def test_version():
    result = run("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.match(r"fuse_cgroupfs \d+\.\d+", result.stdout)
    assert run("-V").stdout == result.stdout


@pytest.mark.parametrize("options", [[], ["-o", "no_io_uring"], ["-s"]],
                         ids=["by itself", "no", "one thread"])
def test_io_uring(directory, options):
    """It is used where libfuse and the kernel have it: libfuse's threads' names show it, the log tells."""
    daemon = mounting.Daemon(directory, *options)
    tasks = pathlib.Path(f"/proc/{daemon.pid}/task").iterdir()
    names = {(task / "comm").read_text(encoding="utf-8") for task in tasks}
    daemon.process.terminate()
    text = daemon.process.communicate(timeout=mounting.PATIENCE)[1]
    by_rings = any(name.startswith("fuse-ring") for name in names)
    assert ("requests: by io_uring" in text and "failed to start" not in text) == by_rings
    assert by_rings or "requests: by /dev/fuse" in text or "failed to start io-uring" in text
    version = re.search(r"libfuse 3\.(\d+)", run("--version").stdout)
    offered = pathlib.Path("/sys/module/fuse/parameters/enable_uring")
    if options or int(version[1]) < 18 or not offered.exists() or \
            offered.read_text(encoding="ascii") != "Y\n":
        assert not by_rings and "io_uring" not in text


def test_no_mount_point():
    assert "mount point" in complaint(run(), None)


@MODES
def test_missing_mount_point(directory, mode):
    path = directory / "nowhere"
    line = complaint(run(*mode, path), path)
    assert str(path) in line and "mkdir" in line


@MODES
def test_mount_point_is_a_file(directory, mode):
    path = directory / "file"
    path.touch()
    line = complaint(run(*mode, path), path)
    assert str(path) in line and "not a directory" in line


@MODES
def test_two_mount_points(directory, mode):
    assert "/tmp/other" in complaint(run(*mode, directory, "/tmp/other"), directory)


@MODES
@pytest.mark.parametrize("option", [["--nonsense"], ["-o", "nonsense"], ["-o", "nonsense=1"]],
                         ids=" ".join)
def test_unknown_option(directory, mode, option):
    line = complaint(run(*mode, *option, directory), directory)
    assert "nonsense" in line and "--help" in line


@MODES
@pytest.mark.parametrize("value", ["nonsense", "cpu:nonsense", "cpu,memory:", ""])
def test_bad_controllers(directory, mode, value):
    line = complaint(run(*mode, "-o", f"controllers={value}", directory), directory)
    assert "controller" in line or "option" in line


@pytest.mark.daemon
@MODES
def test_already_mounted(mount, mode):
    result = run(*mode, mount.path)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert "already mounted" in result.stderr and "fusermount3 -u" in result.stderr
    assert mounts_on(mount.path) == 1


@pytest.mark.usefixtures("private_mounts")
@MODES
def test_no_device(directory, mode):
    hide = ["unshare", "-m", "--propagation", "private", "sh", "-c",
            'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mount -o remount,ro /dev && '
            'exec "$@"', "sh"]
    line = complaint(run(*mode, directory, wrapper=hide), directory)
    assert "/dev/fuse" in line and "modprobe fuse" in line


@pytest.fixture
def everyones_binary():
    """The daemon where every user can reach it."""
    with mounting.mount_point() as path:
        yield shutil.copy(mounting.BINARY, path / "fuse_cgroupfs")


@pytest.mark.usefixtures("private_mounts")
@MODES
@pytest.mark.parametrize("device", ["600", "666"])
def test_not_permitted(directory, mode, device, everyones_binary):
    """The directory is root's: not even fusermount3 lets nobody mount there."""
    become = f"""mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && cd / &&
        mknod -m {device} /dev/fuse c 10 229 &&
        exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups "$@" """
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", become, "sh"]
    result = mounting.subprocess.run([*command, everyones_binary, *mode, directory], text=True,
                                     capture_output=True, timeout=mounting.PATIENCE, check=False)
    assert "root" in complaint(result, directory)


def test_relative_mount_point(directory):
    """The background daemon leaves the working directory, and still knows its mount."""
    result = run(directory.name, cwd=directory.parent)
    assert (result.returncode, result.stderr) == (0, "")
    assert mounting.is_serving(directory)


@MODES
def test_mount_point_with_a_space(directory, mode):
    path = directory / "a b"
    path.mkdir()
    if mode:
        daemon = mounting.Daemon(path)
        assert mounts_on(path) == 1
        assert daemon.stop() == (0, "")
    else:
        assert run(path).returncode == 0
        assert (path / "cpu").is_dir()
        mounting.subprocess.run(["umount", "-l", path], check=True)
        for pid in mounting.daemons_of(path):
            os.kill(pid, 15)
    assert not pathlib.Path(path / "cpu").exists()


def test_with_what_some_kernels_have(start):
    """Not there unless it is asked for, in its place in the order of the controllers then."""
    plain = start("-o", "v2")
    assert "dmem" not in (plain / "cgroup.controllers").read_text()
    assert not (plain / "io.prio.class").exists()
    assert plain.stop() == (0, "")
    more = start("-o", "v2,with=io.latency:dmem:io.prio.class")
    assert (more / "cgroup.controllers").read_text().split()[-2:] == ["misc", "dmem"]
    assert (more / "io.prio.class").read_text() == "no-change\n"
    assert (more / "dmem.capacity").read_text() == ""
