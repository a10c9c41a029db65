# SPDX-License-Identifier: MIT
"""Ownership decides, and a directory given to a user is that user's to delegate."""
import os

from harness import ops
from harness.actor import become
from harness.registry import scenario
from scenarios.directories import mode_of


def _reach(path, names):
    found = []
    for name in names:
        at = os.path.join(path, name)
        found.append((name, "".join(
            letter for letter, mode in (("r", os.R_OK), ("w", os.W_OK), ("x", os.X_OK))
            if os.access(at, mode)), [
            _opened(at, flags) for flags in (os.O_RDONLY, os.O_WRONLY)]))
    return found


def _opened(path, flags):
    try:
        os.close(os.open(path, flags))
    except OSError as error:
        return ops.errname(error)
    return "ok"


@scenario()
def directories_other_user(stage):
    """Ownership decides, and a directory given to a user is that user's to delegate."""
    child = stage.cgroup()
    names = stage.names(child)
    user = stage.actor()
    user.call(become, 1000)
    core = [name for name in ("", *names)]
    for name, rights, opens in user.call(_reach, child, core):
        stage.note(f"access {name or 'directory'}", f"{rights or '-'} open {' '.join(opens)}")
    refused = (
        ("mkdir", os.mkdir, child + "/a"), ("rmdir", os.rmdir, child),
        ("rename", os.rename, child, child + "x"), ("chmod", os.chmod, child + "/tasks", 0o666),
        ("chown", os.chown, child + "/tasks", 1000, 1000), ("utime", os.utime, child + "/tasks"),
        ("truncate", os.truncate, child + "/tasks", 0), ("unlink", os.unlink, child + "/tasks"),
        ("setxattr", os.setxattr, child, "user.x", b"1"),
        ("mkdir in root", os.mkdir, child + "-user"), ("symlink", os.symlink, "x", child + "/s"))
    for step, function, *args in refused:
        stage.note(step, user.call(ops.attempt, function, *args))
    os.chown(child, 1000, 1000)
    os.chown(child + "/tasks", 1000, 1000)
    for step, function, *args in refused[:1] + (
            ("mkdir again", os.mkdir, child + "/a"), ("mode of a", mode_of, child + "/a"),
            ("mode of a's file", mode_of, child + "/a/notify_on_release"),
            ("write in a", ops.write, child + "/a/notify_on_release", b"1"),
            ("write in its own", ops.write, child + "/notify_on_release", b"1"),
            ("chmod tasks", os.chmod, child + "/tasks", 0o600),
            ("chown to another", os.chown, child + "/tasks", 1001, -1),
            ("rename a", os.rename, child + "/a", child + "/b"),
            ("rmdir b", os.rmdir, child + "/b"), ("trusted", os.setxattr, child, "trusted.x", b"1"),
            ("setxattr own", os.setxattr, child, "user.x", b"1"),
            ("unlink own", os.unlink, child + "/tasks"), ("rmdir own", os.rmdir, child)):
        stage.note(f"as owner: {step}", user.call(ops.attempt, function, *args))
    os.chmod(child, 0o700)
    os.chown(child, 0, 0)
    for step, function, *args in (("listdir", os.listdir, child), ("stat", os.stat,
        child + "/tasks"),
                                  ("read", ops.read, child + "/notify_on_release")):
        stage.note(f"closed directory: {step}", user.call(ops.attempt, function, *args))
    os.chmod(child, 0o755)
