# SPDX-License-Identifier: MIT
"""What is held open of a removed cgroup, and what comes after it."""
import os

from harness import ops
from harness.registry import scenario


@scenario()
def removed_held(stage):
    child = stage.cgroup()
    os.mkdir(child + "/a")
    path = child + "/a"
    fresh = os.open(path + "/notify_on_release", os.O_RDWR)
    begun = os.open(path + "/notify_on_release", os.O_RDONLY)
    procs = os.open(path + "/cgroup.procs", os.O_RDWR)
    os.read(begun, 1)
    directory = os.open(path, os.O_RDONLY)
    try:
        stage.attempt("rmdir while files are open", os.rmdir, path)
        stage.attempt("read", os.read, fresh, 10)
        stage.attempt("read on", os.read, begun, 10)
        stage.attempt("pread at 0", os.pread, begun, 10, 0)
        stage.attempt("write", os.write, fresh, b"1")
        stage.attempt("write of nothing", os.write, fresh, b"")
        stage.attempt("read cgroup.procs", os.read, procs, 10)
        stage.attempt("write cgroup.procs", os.write, procs, b"0")
        stage.attempt("lseek", os.lseek, fresh, 0, 0)
        stage.attempt("fstat", lambda: f"{os.fstat(fresh).st_mode:o} {os.fstat(fresh).st_nlink}")
        stage.attempt("fstat of the directory",
                      lambda: f"{os.fstat(directory).st_mode:o} {os.fstat(directory).st_nlink}")
        stage.attempt("fchmod", os.fchmod, fresh, 0o600)
        stage.attempt("listdir", lambda: str(len(os.listdir(directory))))
        stage.attempt("open in it", lambda: os.open("tasks", os.O_RDONLY, dir_fd=directory))
        stage.attempt("mkdir in it", os.mkdir, "x", dir_fd=directory)
        stage.attempt("stat", lambda: str(os.stat(path)))
        stage.attempt("mkdir of the same name", os.mkdir, path)
        stage.attempt("read the old file", os.pread, fresh, 10, 0)
        stage.attempt("write the old file", os.write, fresh, b"1")
        stage.read("read the new file", path + "/notify_on_release")
        stage.attempt("listdir of the old", lambda: str(len(os.listdir(directory))))
    finally:
        for fd in (fresh, begun, procs, directory):
            os.close(fd)


def _inside(path):
    """Called in an actor whose directory is then removed under it."""
    os.chdir(path)


def _lost(path):
    os.rmdir(path)
    return [ops.attempt(call, *args) for call, *args in (
        (os.getcwd,), (os.mkdir, "x"), (os.listdir, "."), (os.open, "tasks", os.O_RDONLY),
        (os.rmdir, "../x"), (os.stat, "tasks"))]


@scenario()
def removed_cwd(stage):
    child = stage.cgroup()
    os.mkdir(child + "/a")
    actor = stage.actor()
    actor.call(_inside, child + "/a")
    steps = ("getcwd", "mkdir", "listdir", "open", "rmdir of a sibling", "stat")
    for step, answer in zip(steps, actor.call(_lost, child + "/a")):
        stage.note(step, answer)
    actor.call(os.chdir, "/")


@scenario()
def removed_fresh_again(stage):
    """A new cgroup of the same name starts with nothing of the old one's."""
    child = stage.cgroup()
    path = child + "/a"
    os.mkdir(path)
    ops.write(path + "/notify_on_release", b"1")
    ops.write(path + "/cgroup.clone_children", b"1")
    os.chmod(path + "/tasks", 0o600)
    os.setxattr(path, "user.x", b"1")
    os.rmdir(path)
    os.mkdir(path)
    stage.read("notify_on_release", path + "/notify_on_release")
    stage.read("clone_children", path + "/cgroup.clone_children")
    stage.note("mode", oct(os.stat(path + "/tasks").st_mode))
    stage.attempt("xattrs", os.listxattr, path)
    for _ in range(20):
        os.rmdir(path)
        os.mkdir(path)
    stage.note("20 times more", oct(os.stat(path).st_mode))


@scenario()
def removed_deep(stage):
    """30 levels down and up again."""
    path = stage.cgroup()
    made = []
    for level in range(30):
        path = f"{path}/level{level}"
        made.append(path)
        answer = ops.attempt(os.mkdir, path)
        if answer != "ok":
            stage.note(f"mkdir level {level}", answer)
    stage.write("write at the bottom", path + "/notify_on_release", b"1")
    stage.attempt("rmdir in the middle", os.rmdir, made[10])
    stage.note("nlinks", " ".join(str(os.stat(each).st_nlink) for each in made))
    stage.note("rmdir upwards", " ".join(ops.attempt(os.rmdir, each) for each in reversed(made)))
