# SPDX-License-Identifier: MIT
"""Modes, owners, times and sizes of directories and files."""
import os

from harness import ops
from harness.registry import scenario
from scenarios.directories import mode_of


@scenario()
def directories_attributes(stage):
    """chmod, chown, utimes and truncate last, and belong to one cgroup only."""
    child = stage.cgroup()
    path = child + "/notify_on_release"
    for mode in (0o600, 0o444, 0o000, 0o777, 0o4755, 0o1644, 0o644):
        stage.attempt(f"chmod file {mode:o}", os.chmod, path, mode)
        stage.note(f"file after chmod {mode:o}", mode_of(path))
        stage.note(f"write after chmod {mode:o}", ops.write(path, b"1"))
    for mode in (0o700, 0o000, 0o1777, 0o2775, 0o755):
        stage.attempt(f"chmod directory {mode:o}", os.chmod, child, mode)
        stage.note(f"directory after chmod {mode:o}", mode_of(child))
    for uid, gid in ((1000, 1000), (-1, 1001), (1002, -1), (-1, -1), (0, 0), (4294967294, 7)):
        stage.attempt(f"chown file {uid}:{gid}", os.chown, path, uid, gid)
        stage.note(f"file after chown {uid}:{gid}", mode_of(path))
    stage.attempt("chown directory", os.chown, child, 1000, 1001)
    stage.note("directory after chown", mode_of(child))
    os.chmod(child, 0o2775)
    stage.attempt("mkdir in a setgid directory", os.mkdir, child + "/a")
    stage.note("it", mode_of(child + "/a"))
    stage.note("its file", mode_of(child + "/a/tasks"))
    stage.note("a file of the parent", mode_of(child + "/tasks"))
    stage.attempt("utime", os.utime, path, (1000, 2000))
    info = os.stat(path)
    stage.note("times", f"{info.st_atime} {info.st_mtime}")
    stage.attempt("utime of a directory", os.utime, child, (3000, 4000))
    stage.note("its times", f"{os.stat(child).st_atime} {os.stat(child).st_mtime}")
    stage.attempt("utime ns", os.utime, path, ns=(1000000001, 2000000002))
    stage.note("times in ns", f"{os.stat(path).st_atime_ns} {os.stat(path).st_mtime_ns}")
    for size in (0, 1, 100, 1 << 40):
        stage.attempt(f"truncate to {size}", os.truncate, path, size)
        stage.note(f"size after truncate to {size}", str(os.stat(path).st_size))
    stage.attempt("truncate to -1", os.truncate, path, -1)
    stage.attempt("truncate a directory", os.truncate, child, 0)
    stage.attempt("truncate a missing one", os.truncate, child + "/missing", 0)
    stage.read("content after truncate", path)
    os.rmdir(child + "/a")
    os.mkdir(child + "/a")
    stage.note("a new cgroup of a removed one's name", mode_of(child + "/a/tasks"))
