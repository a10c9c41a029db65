# SPDX-License-Identifier: MIT
"""Whose processes another user may move."""
import os

from harness import ops
from harness.actor import become
from harness.cast import FILES, Cast, ready
from harness.registry import scenario


@scenario()
def attach_user(stage):
    """Whose processes another user may move, and by whose descriptor."""
    cast = Cast(stage)
    child = ready(stage, stage.cgroup())
    shared = {file: os.open(f"{child}/{file}", os.O_WRONLY) for file in FILES}
    user, same, other, root = (cast.process(name) for name in ("user", "same", "other", "root"))
    for actor, uid in ((user, 1000), (same, 1000), (other, 1001)):
        actor.call(become, uid)
    who = {"itself": user, "its own": same, "another's": other, "root's": root}

    for file in FILES:
        path = f"{child}/{file}"
        stage.note(f"{file} not its own", user.call(ops.write, path, b"0"))
        os.chown(path, 1000, 1000)
        for name, actor in who.items():
            answer = user.call(ops.write, path, str(actor.pid).encode())
            stage.note(f"{file} {name}", f"{answer} {cast.list(child, 'cgroup.procs')}")
            cast.empty(child)
        stage.note(f"{file} 0", f"{user.call(ops.write, path, b'0')} {cast.list(child, file)}")
        cast.empty(child)
        stage.note(f"{file} unknown", user.call(ops.write, path, b"4194305"))
        stage.note(f"{file} garbage", user.call(ops.write, path, b"x"))
        for name, actor in who.items():
            answer = user.call(ops.attempt, os.write, shared[file], str(actor.pid).encode())
            stage.note(f"{file} {name} by root's descriptor",
                       f"{'ok' if answer.isdigit() else answer} {cast.list(child, 'cgroup.procs')}")
            cast.empty(child)
        answer = user.call(ops.attempt, os.write, shared[file], b"0\n")
        stage.note(f"{file} 0 by root's descriptor", f"{answer} {cast.list(child, 'cgroup.procs')}")
        cast.empty(child)
    for fd in shared.values():
        os.close(fd)
