# SPDX-License-Identifier: MIT
"""Making, removing, renaming, and everything that a cgroup directory refuses."""
import os
import socket
import stat

from harness import libc, ops
from harness.registry import scenario

LONG = "n" * 255


def mode_of(path):
    info = os.lstat(path)
    return f"{info.st_mode:o} {info.st_uid}:{info.st_gid} nlink={info.st_nlink}"


def _mkdir(stage, step, path, mode=0o777):
    """mkdir, what it made, and away with it."""
    answer = ops.attempt(os.mkdir, path, mode)
    if answer == "ok":
        answer += " " + mode_of(path)
        os.rmdir(path)
    stage.note(step, answer)


@scenario()
def directories_make(stage):
    child = stage.cgroup()
    for umask in (0o022, 0, 0o077):
        before = os.umask(umask)
        for mode in (0o777, 0o755, 0o700, 0o500, 0, 0o1777, 0o2755, 0o4755):
            _mkdir(stage, f"mkdir mode {mode:o} umask {umask:o}", child + "/a", mode)
        os.umask(before)
    names = {"255 bytes": LONG, "256 bytes": LONG + "n", "1000 bytes": "n" * 1000,
             "2000 bytes": "n" * 2000, "dot": ".", "dotdot": "..",
             "newline inside": "a\nb", "newline alone": "\n", "space": "a b", "tab": "\t",
             "backslash": "a\\b", "utf-8": "\u00e9\u4e2d", "not utf-8": b"\xff\xfe".decode(
                 "utf-8", "surrogateescape"), "leading dot": ".hidden", "dash": "-x", "star": "*",
             "like a file": "tasks", "like another file": "notify_on_release",
             "prefixed": "cgroup.x", "prefixed as its own": f"{stage.hierarchy}.x",
             "like a root's file": "release_agent", "trailing slash": "slash/",
             "empty": "", "below a missing one": "missing/a", "below a file": "tasks/a",
             "in colons": "a:b", "control character": "\x01"}
    for name, path in names.items():
        _mkdir(stage, f"mkdir {name}", f"{child}/{path}")
    stage.attempt("mkdir", os.mkdir, child + "/a")
    stage.attempt("mkdir existing", os.mkdir, child + "/a")
    stage.attempt("mkdir existing/", os.mkdir, child + "/a/")
    stage.note("it", mode_of(child + "/a"))
    stage.note("its parent", mode_of(child))
    stage.note("listed once", str(os.listdir(child).count("a")))
    ops.attempt(os.rmdir, child + "/a")
    for level in range(8):
        os.mkdir(f"{child}/c{level}")
    stage.note("nlink of a parent of 8", str(os.stat(child).st_nlink))
    stage.note("its children", " ".join(sorted(n for n in os.listdir(child) if n[0] == "c" and
                                               n[1].isdigit())))


@scenario()
def directories_remove(stage):
    child = stage.cgroup()
    os.makedirs(child + "/a/b")
    for step, path in (("with a child", "a"), ("missing", "missing"), ("a file", "tasks"),
                       ("dot", "a/."), ("dotdot", "a/b/.."), ("slash", "a/b/"), ("again", "a/b"),
                       ("emptied", "a"), ("below a file", "tasks/x"), ("long name", LONG),
                       ("too long name", LONG + "n")):
        stage.attempt(f"rmdir {step}", os.rmdir, f"{child}/{path}")
    os.mkdir(child + "/a")
    for step, path in (("a file", "tasks"), ("a directory", "a"), ("missing", "missing"),
                       ("a write-only file", "cgroup.procs")):
        stage.attempt(f"unlink {step}", os.unlink, f"{child}/{path}")
    stage.note("still there", str(os.path.exists(child + "/tasks")))
    stage.attempt("rmdir by unlinkat", os.rmdir, child + "/a")
    stage.note("nlink of the parent", str(os.stat(child).st_nlink))


@scenario()
def directories_create(stage):
    """Whatever is not a cgroup cannot be made."""
    child = stage.cgroup()

    def bind():
        with socket.socket(socket.AF_UNIX) as sock:
            directory = os.open(child, os.O_PATH)
            try:
                sock.bind(f"/proc/self/fd/{directory}/s")
            finally:
                os.close(directory)

    def create(flags):
        os.close(os.open(child + "/new", flags, 0o644))

    for step, call in (
            ("O_CREAT", lambda: create(os.O_CREAT | os.O_WRONLY)),
            ("O_CREAT|O_EXCL", lambda: create(os.O_CREAT | os.O_EXCL | os.O_RDWR)),
            ("open missing", lambda: create(os.O_RDONLY)),
            ("write missing", lambda: create(os.O_WRONLY)),
            ("O_TMPFILE", lambda: os.open(child, os.O_TMPFILE | os.O_RDWR)),
            ("mknod file", lambda: os.mknod(child + "/new", stat.S_IFREG | 0o644)),
            ("mknod fifo", lambda: os.mkfifo(child + "/new")),
            ("mknod device", lambda: os.mknod(child + "/new", stat.S_IFCHR, os.makedev(1, 3))),
            ("mknod existing", lambda: os.mknod(child + "/tasks", stat.S_IFREG)),
            ("socket", bind),
            ("symlink", lambda: os.symlink("x", child + "/new")),
            ("symlink existing", lambda: os.symlink("x", child + "/tasks")),
            ("link of a file", lambda: os.link(child + "/tasks", child + "/new")),
            ("link of a directory", lambda: os.link(child, child + "/new")),
            ("link onto existing", lambda: os.link(child + "/tasks", child + "/cgroup.procs")),
            ("link of missing", lambda: os.link(child + "/missing", child + "/new")),
            ("readlink file", lambda: os.readlink(child + "/tasks")),
            ("readlink missing", lambda: os.readlink(child + "/missing"))):
        stage.attempt(step, call)
    stage.note("nothing was made", str(os.path.lexists(child + "/new")))


@scenario()
def directories_rename(stage):
    child = stage.cgroup()
    for path in ("a", "b", "p", "p/c", "q", "a/below"):
        os.mkdir(f"{child}/{path}")
    ops.write(child + "/a/notify_on_release", b"1")
    held = os.open(child + "/a/notify_on_release", os.O_RDONLY)
    for step, old, new in (
            ("to a new name", "a", "z"), ("of the old name", "a", "y"), ("back", "z", "a"),
            ("onto itself", "a", "a"), ("onto a cgroup", "a", "b"), ("onto a file", "a", "tasks"),
            ("of a file", "tasks", "tasks2"), ("of a file onto a file", "tasks", "cgroup.procs"),
            ("of a file onto itself", "tasks", "tasks"), ("of a file onto a cgroup", "tasks", "b"),
            ("of a file elsewhere", "tasks", "p/tasks2"), ("to another parent", "b", "p/b"),
            ("up", "p/c", "c"), ("to a sibling's", "p/c", "q/c"), ("into itself", "p", "p/c/p"),
            ("into its child's place", "p", "p/c"), ("onto its parent", "p/c", "p"),
            ("missing", "missing", "m"), ("to a missing parent", "b", "missing/b"),
            ("below a file", "b", "tasks/b"), ("to a newline",
             "b", "b\nb"), ("to a long name", "b", LONG),
            ("back from it", LONG, "b"), ("to a longer name", "b", LONG + "n"),
            ("back from the longer", LONG + "n", "b"), ("to dot", "b", "."),
            ("to dotdot", "b", ".."), ("of dot", "b/.", "bb"), ("to slash", "b", "bb/"),
            ("back from slash", "bb", "b"), ("to empty", "b", "")):
        stage.attempt(f"rename {step}", os.rename, f"{child}/{old}", f"{child}/{new}")
    for step, old, new, flags in (
            ("NOREPLACE", "b", "b2", 1), ("NOREPLACE onto a cgroup", "b", "a", 1),
            ("EXCHANGE", "a", "b", 2), ("EXCHANGE with missing", "a", "missing", 2),
            ("WHITEOUT", "a", "w", 4), ("NOREPLACE|EXCHANGE",
             "a", "b", 3), ("unknown flag", "a", "u", 64),
            ("NOREPLACE of a file", "tasks", "t", 1), ("EXCHANGE of files", "tasks",
            "cgroup.procs", 2)):
        stage.attempt(
    f"renameat2 {step}",
    libc.renameat2,
    f"{child}/{old}",
    f"{child}/{new}",
     flags)
    stage.note("directories at last", " ".join(sorted(
        os.path.relpath(path, child) for path, _, _ in os.walk(child))))
    stage.read("its value is kept", child + "/a/notify_on_release")
    stage.attempt("a file held over it", os.pread, held, 10, 0)
    os.close(held)
    stage.note("nlink", str(os.stat(child).st_nlink))


@scenario("cpu")
def directories_across(stage):
    """From one hierarchy to another, which are one mount of ours."""
    child, other = stage.cgroup(), stage.cgroup("freezer")
    os.mkdir(child + "/a")
    stage.attempt("rename of a cgroup", os.rename, child + "/a", other + "/a")
    stage.attempt("rename of a file", os.rename, child + "/tasks", other + "/x")
    stage.attempt("rename onto a file", os.rename, child + "/tasks", other + "/tasks")
    stage.attempt("link of a file", os.link, child + "/tasks", other + "/x")
    stage.attempt("renameat2 EXCHANGE", libc.renameat2, child + "/a", other, 2)
