# SPDX-License-Identifier: MIT
"""What is held open below a renamed cgroup, and directories of many children."""
import os

from harness import ops
from harness.registry import scenario
from harness.cast import Cast, ready


@scenario("cpu", "memory", "freezer", "systemd")
def moving_parent(stage):
    cast = Cast(stage)
    child = ready(stage, stage.cgroup())
    for path in ("a", "a/b", "a/b/c"):
        os.mkdir(f"{child}/{path}")
    p, inside = cast.process("p"), cast.process("inside")
    ops.write(child + "/a/b/c/cgroup.procs", str(p.pid).encode())
    inside.call(os.chdir, child + "/a/b")
    directory = os.open(child + "/a/b", os.O_RDONLY)
    held = os.open(child + "/a/b/notify_on_release", os.O_RDWR)
    procs = os.open(child + "/a/b/c/cgroup.procs", os.O_RDONLY)
    try:
        stage.attempt("rename", os.rename, child + "/a", child + "/z")
        stage.attempt("write to a held file", os.write, held, b"1")
        stage.attempt("read it", os.pread, held, 10, 0)
        stage.read("read it by its new name", child + "/z/b/notify_on_release")
        stage.read("read it by its old name", child + "/a/b/notify_on_release")
        stage.note("held list", cast.list("", "", os.pread(procs, 100, 0)))
        stage.note("list by its new name", cast.both(child + "/z/b/c"))
        stage.attempt("mkdir below a held directory", os.mkdir, "d", dir_fd=directory)
        stage.attempt("open below it", lambda: os.close(
            os.open("c/tasks", os.O_RDONLY, dir_fd=directory)))
        stage.note("listdir of it", str(len([n for n in os.listdir(directory) if n in "cd"])))
        stage.note("inside: mkdir", inside.call(ops.attempt, os.mkdir, "e"))
        stage.note("inside: getcwd", os.path.relpath(inside.call(os.getcwd), child))
        stage.note("inside: write", inside.call(ops.write, "c/notify_on_release", b"1"))
        stage.attempt("make the old name again", os.makedirs, child + "/a/b")
        stage.attempt("held file is not the new one's", os.pread, held, 10, 0)
        stage.read("the new one's", child + "/a/b/notify_on_release")
        stage.attempt("rename within a held directory", os.rename, "d", "dd", src_dir_fd=directory,
                      dst_dir_fd=directory)
        stage.attempt("rmdir below it", os.rmdir, "dd", dir_fd=directory)
        stage.note("reopened by /proc", ops.read(f"/proc/self/fd/{held}"))
        stage.note("written by /proc", ops.write(f"/proc/self/fd/{held}", b"0"))
        stage.attempt("read again", os.pread, held, 10, 0)
    finally:
        for fd in (directory, held, procs):
            os.close(fd)
    inside.call(os.chdir, "/")


@scenario("cpu", "systemd")
def moving_many(stage):
    child = stage.cgroup()
    for number in range(500):
        os.mkdir(f"{child}/child-with-a-longer-name-{number}")
    stage.note("nlink of 500", str(os.stat(child).st_nlink))
    names = os.listdir(child)
    stage.note("listed once each", str(len(names) == len(set(names))))
    stage.note("children listed", str(sum(name.startswith("child-") for name in names)))
    removed = 0
    for entry in os.scandir(child):
        if entry.is_dir():
            os.rmdir(entry.path)
            removed += 1
    left = sum(name.startswith("child-") for name in os.listdir(child))
    stage.note("removed while listing", f"{removed}, {left} left")
    stage.note("nlink", str(os.stat(child).st_nlink))
    with os.scandir(child) as half:
        first = next(half).name
        os.mkdir(child + "/made-meanwhile")
        rest = [entry.name for entry in half]
    stage.note("made while listing: all files once",
               str(sorted(set(stage.names(child))) == sorted(
                   {first, *rest} - {"made-meanwhile"} - stage.left_out)))
