# SPDX-License-Identifier: MIT
"""The live kernel's cgroup v1 hierarchies, mounted where they are not, in a private namespace."""
import atexit
import ctypes
import os
import tempfile
import time

from . import recording
from .machine import MACHINE
from .registry import HIERARCHIES

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
MNT_DETACH = 2
TRIES = 50 # a tenth of a second each


def mounted():
    """{hierarchy: directory} of what is mounted and visible."""
    found = {}
    with open("/proc/self/mountinfo") as table:
        for line in table:
            before, after = line.split(" - ", 1)
            kind, _, options = after.split(" ", 2)
            fields = before.split()
            if kind != "cgroup" or fields[3] != "/":
                continue
            words = options.strip().split(",")
            controllers = [word for word in words if word in HIERARCHIES]
            if len(controllers) == 1:
                found[controllers[0]] = fields[4]
            elif "name=systemd" in words and not controllers:
                found["systemd"] = fields[4]
    return {name: path for name, path in found.items() if os.path.exists(path + "/tasks")}


def _root_is_mounted():
    """Whether / is a mount point: a plain chroot's is none, and the mounts around it cannot be seen."""
    with open("/proc/self/mountinfo") as table:
        return any(line.split()[4] == "/" for line in table)


def available():
    """Whether this kernel has cgroup v1, and why not when it has not."""
    if os.geteuid() != 0:
        return False, "needs root to make cgroups in the kernel's hierarchies"
    if not _root_is_mounted():
        return False, "/ is no mount point here (a plain chroot): its mounts cannot be made private"
    if not mounted():
        return False, "no cgroup v1 hierarchy is mounted on this machine"
    return True, ""


def comparable():
    """Whether its answers can be those of the recording, and why not when they cannot."""
    live, why = available()
    if live and MACHINE.release != recording.facts()["release"]:
        return False, f"the recording is of Linux {recording.facts()['release']}"
    return live, why


def _mount(source, target, kind, flags, data):
    return _libc.mount(source, target.encode(), kind, flags, data) == 0


def enter():
    """Leaves for a private mount namespace; {hierarchy: directory} of all that can be had there.

    A hierarchy that is mounted nowhere is mounted on a temporary directory; for systemd a
    hierarchy of our own (name=...) serves, so that nobody else's root is written to.
    """
    if _libc.unshare(CLONE_NEWNS) or not _mount(b"none", "/", b"none", MS_REC | MS_PRIVATE, None):
        raise OSError(ctypes.get_errno(), "unshare of the mount namespace")
    directories = mounted()
    directories.pop("systemd", None)
    for name in HIERARCHIES:
        if name in directories:
            continue
        options = f"none,name=fcg-oracle-{os.getpid()}" if name == "systemd" else name
        directory = tempfile.mkdtemp(prefix="fcg-oracle-")
        os.chmod(directory, 0o755)
        if _mount(b"cgroup", directory, b"cgroup", 0, options.encode()):
            directories[name] = directory
            atexit.register(_leave, directory, options)
        else:
            os.rmdir(directory)
    return directories


def _is_there(options):
    name = options.split(",")[-1]
    with open("/proc/self/cgroup") as table:
        return any(line.split(":")[1] == name for line in table)


def _unmount(directory):
    if _libc.umount2(directory.encode(), 0):
        _libc.umount2(directory.encode(), MNT_DETACH)


def _leave(directory, options):
    """A hierarchy whose cgroups were removed just now outlives its mount, and ends with the next one."""
    _unmount(directory)
    for _ in range(TRIES):
        time.sleep(0.1)
        if not _is_there(options):
            break
        if _mount(b"cgroup", directory, b"cgroup", 0, options.encode()):
            _unmount(directory)
    os.rmdir(directory)
