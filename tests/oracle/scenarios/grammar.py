# SPDX-License-Identifier: MIT
"""Every writable file of a child takes a long list of inputs, in sequence."""
import os
import re
import stat

from harness import ops
from harness.machine import MACHINE
from harness.registry import scenario
from harness.stage import brief
from scenarios.inputs import GENERIC, READBACK, SPECIAL

# They move processes, and have scenarios of their own (attach_grammar).
MEMBERS = {"cgroup.procs", "tasks"}
CORE = {"notify_on_release", "cgroup.clone_children"}
# A new cgroup takes the value of the parent's; we begin from a known one.
START = {"memory.swappiness": b"60\n"}


def _substitute(text):
    """Puts the machine's devices into an input; None when it has none."""
    for symbol, value in (("{disk}", MACHINE.disk), ("{partition}", MACHINE.partition)):
        if symbol in text:
            if value is None:
                return None
            text = text.replace(symbol, value)
    return text


def _mask(answer):
    """Takes devices and interfaces of this machine out of an answer."""
    if MACHINE.disk:
        answer = re.sub(rf"(?<![\d:]){MACHINE.disk}(?= )", "{disk}", answer)
    return answer


def _readback(path, name):
    target = READBACK.get(name, name)
    if not target:
        return ""
    answer = ops.read(os.path.join(os.path.dirname(path), target))
    if name == "net_prio.ifpriomap":
        found = re.search(r"(?:^'|\\n)(lo \d+)\\n", answer)
        answer = found.group(1) if found else answer
    return " -> " + _mask(answer)


def _play(stage, path, name, inputs):
    if name in START:
        stage.store(name, path, START[name])
    for each in inputs:
        data = each if isinstance(each, bytes) else _substitute(each)
        if data is None:
            continue
        label = brief(each if isinstance(each, bytes) else each.encode("latin-1"))
        data = data if isinstance(data, bytes) else data.encode("latin-1")
        stage.note(f"{name} < {label}", ops.write(path, data) + _readback(path, name))


def writable(stage, path):
    return [name for name in stage.names(path)
            if stat.S_IMODE(os.stat(os.path.join(path, name)).st_mode) & 0o200
            and name not in MEMBERS]


@scenario()
def grammar_core(stage):
    """The files that every hierarchy has."""
    child = stage.cgroup()
    for name in sorted(CORE):
        _play(stage, os.path.join(child, name), name, GENERIC)


@scenario("blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb", "memory",
          "net_cls", "net_prio", "pids", needs=("cpus", "mems", "hugepages"),
          alone=("cpu", "cpuset"))
def grammar(stage):
    for name in writable(stage, child := stage.cgroup()):
        if name in CORE:
            continue
        child = stage.cgroup()
        inputs = SPECIAL.get(name, [])
        if name != "cgroup.event_control":
            inputs = inputs + GENERIC
        else:
            inputs = GENERIC
        _play(stage, os.path.join(child, name), name, inputs)


@scenario("systemd")
def grammar_root(stage):
    """The root's own files; played on a hierarchy that nobody else uses."""
    for name in ("cgroup.clone_children", "notify_on_release", "release_agent"):
        path = os.path.join(stage.root, name)
        stage.at_exit(ops.write, path, b"\n" if name == "release_agent" else b"0\n")
        _play(stage, path, name, GENERIC)
