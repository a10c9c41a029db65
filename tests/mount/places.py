# SPDX-License-Identifier: MIT
"""Where tests keep what every user must reach: neither a home nor a TMPDIR need be open to others."""

import atexit
import functools
import os
import pathlib
import shutil
import stat
import tempfile


def is_public(path):
    """Whether every user may read this file, or look into this directory."""
    path = pathlib.Path(path).resolve()
    wanted = stat.S_IROTH | stat.S_IXOTH if path.is_dir() else stat.S_IROTH
    return path.stat().st_mode & wanted == wanted and \
        all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)


def temporary():
    """TMPDIR, or /tmp where others cannot reach that and we are above them."""
    place = tempfile.gettempdir()
    return place if os.geteuid() or is_public(place) else "/tmp"


def make_directory(prefix):
    """A new directory that every user may enter; to be removed by the caller."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=temporary()))
    path.chmod(0o755)
    return path


@functools.cache
def copies():
    path = make_directory("fcg-public-")
    atexit.register(shutil.rmtree, path)
    return path


def public(path):
    """This file or directory, or a copy that every user can reach: a clone in root's home is root's alone."""
    path = pathlib.Path(path)
    if os.geteuid() or not path.exists() or is_public(path):
        return path
    copy = copies() / path.name
    if not copy.exists() and path.is_dir():
        shutil.copytree(path, copy, ignore=shutil.ignore_patterns("__pycache__"))
    elif not copy.exists():
        shutil.copy2(path, copy)
    return copy
