# SPDX-License-Identifier: MIT
"""What one user can make grow has a bound, and leaves the others theirs."""

import os

import pytest

from mounting import wait_until
from processes import NOBODY, as_nobody, error_of, in_child

pytestmark = pytest.mark.daemon

BYTES = 32 << 20  # include/owners.h
CGROUP = 2048
OPEN_BYTES = 64 << 20
ENTRY = 224 + len("100")
OTHER = NOBODY - 1


def delegated(daemon, hierarchy, uid):
    path = daemon / hierarchy / str(uid)
    path.mkdir()
    os.chown(path, uid, uid)
    return path


def make_until(path):
    """How many cgroups could be made in the directory, and why no more."""
    for number in range(2 * BYTES // CGROUP):
        error = error_of(os.mkdir, path / str(number))
        if error:
            return number, error
    return number, None


def fill_until(path):
    """How many bytes of attributes the directories in this one took, and why no more."""
    total = 0
    for number in range(BYTES // (100 << 10) + 10):
        directory = path / f"x{number}"
        error = error_of(os.mkdir, directory) or \
            error_of(os.setxattr, directory, "user.a", bytes(60 << 10)) or \
            error_of(os.setxattr, directory, "user.b", bytes(60 << 10))
        if error:
            return total, error
        total += 120 << 10
    return total, None


def remove_all(path):
    for name in os.listdir(path):
        if (path / name).is_dir():
            os.rmdir(path / name)


@pytest.fixture
def state(tmp_path):
    return ("-o", f"state={tmp_path / 'state'}")


def open_until(directory, name):
    """Opens listings, and then files that were read, until no more may be had: errors, and how many."""
    counts, errors, descriptors = [], [], []

    def look_at_one(path):
        if path == directory:  # a kernel that has kept the last listing forgets it
            (path / "new").mkdir()
            (path / "new").rmdir()
        descriptors.append(os.open(path, os.O_RDONLY))
        return os.listdir(descriptors[-1]) if path == directory else os.read(descriptors[-1], 1 << 16)

    for path, most in ((directory, 350), (directory / name, 450)):
        counts.append(0)
        error = None
        while not error and counts[-1] < most:
            error = error_of(look_at_one, path)
            counts[-1] += not error
        errors.append(error)
    made = error_of(os.mkdir, directory / "one more")
    removed = error_of(os.rmdir, directory / "0")
    for descriptor in descriptors:
        os.close(descriptor)
    listed = wait_until(lambda: not error_of(os.listdir, directory))  # close(2) does not wait for us
    return errors, counts, made, removed, listed


def test_open_files(start):
    daemon = start("-o", "controllers=memory")
    path = delegated(daemon, "memory", NOBODY)
    cgroups = 1000

    def fill():
        for number in range(cgroups):
            (path / str(number)).mkdir()
        return open_until(path, "memory.stat")

    errors, (listings, files), made, removed, listed = as_nobody(fill)
    assert errors == ["ENOMEM", "ENOMEM"] and files, (errors, files)
    assert 0.9 * OPEN_BYTES < listings * cgroups * ENTRY < OPEN_BYTES
    assert (made, removed, listed) == (None, None, True), "it can still remove, and look when it has closed"
    errors, (listings, _), *_ = in_child(lambda: open_until(path, "memory.stat"))
    assert (errors, listings) == ([None, None], 350), "root has no such bound"


def test_cgroups(start):
    daemon = start("-o", "controllers=pids:cpu")
    path, other = delegated(daemon, "pids", NOBODY), delegated(daemon, "cpu", NOBODY)
    made, why = as_nobody(lambda: make_until(path))
    assert why == "ENOSPC" and 0.9 * BYTES < made * CGROUP <= BYTES
    assert as_nobody(lambda: error_of(os.mkdir, other / "a")) == "ENOSPC", "in any hierarchy"
    others = delegated(daemon, "pids", OTHER)
    assert in_child(lambda: error_of(os.mkdir, others / "a"), OTHER) is None
    (path / "root's").mkdir()
    os.rmdir(path / "0")
    assert as_nobody(lambda: error_of(os.mkdir, other / "a")) is None


def test_attributes(start, state):
    daemon = start("-o", "controllers=pids", *state)
    path = delegated(daemon, "pids", NOBODY)
    total, why = as_nobody(lambda: fill_until(path))
    assert why == "ENOSPC" and 0.9 * BYTES < total <= BYTES
    assert as_nobody(lambda: error_of(os.chmod, path / "x0" / "pids.max", 0o600)) in (None, "ENOSPC")
    os.setxattr(path / "x0" / "pids.max", "user.a", b"root's")
    daemon.process.kill()
    daemon.process.communicate()
    daemon = start("-o", "controllers=pids", *state)  # it is as it was, and no more
    assert as_nobody(lambda: error_of(os.setxattr, path / "x0", "user.a", bytes(60 << 10))) == "ENOSPC"
    as_nobody(lambda: remove_all(path))
    assert as_nobody(lambda: error_of(os.mkdir, path / "again")) is None
    assert as_nobody(lambda: error_of(os.setxattr, path / "again", "user.a", bytes(60 << 10))) is None
