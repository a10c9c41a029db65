# SPDX-License-Identifier: MIT
"""What files say: exactly where a fresh child's content is determined, else its grammar."""
import os
import re

from harness import ops
from harness.machine import MACHINE, shape, zeros
from harness.registry import scenario
from scenarios.listing import _one_size

# A fresh child's files that hold what the machine or an earlier cgroup determined.
UNDETERMINED = {"net_prio.prioidx", "memory.swappiness"}
# Root files whose value the machine's life determines; the others hold a fresh machine's settings.
COUNTER = re.compile(r"usage|failcnt|stat|prioidx|swappiness|memory_pressure$|oom_control$")
# Which devices a root shows depends on where throttling has been used.
DEVICE_LINE = re.compile(r"(?m)^\d+:\d+ (Read|Write|Sync|Async|Discard|Total) \d+\n")
# Whose lines are one an interface.
INTERFACES = "net_prio.ifpriomap"


def _text(path):
    """(content, None), or (None, errno)."""
    answer = ops.read(path)
    if answer[:1] in "'\"":
        return ops.read_raw(path).decode("latin-1"), None
    return None, answer


def _interfaces(text):
    """lo's line, and whether all have the grammar and name the machine's interfaces."""
    lines = [line.split(" ") for line in text.splitlines()]
    lo = [line for line in lines if line[0] == "lo"]
    names = sorted(line[0] for line in lines)
    known = sorted(os.listdir("/sys/class/net")) if os.path.isdir("/sys/class/net") else names
    return f"{lo} values {sorted({line[1] for line in lines})} all interfaces {names == known}"


def _answers(stage, path, mask):
    seen = {}
    for name in stage.names(path):
        text, error = _text(os.path.join(path, name))
        if error is None:
            error = _interfaces(text) if name == INTERFACES else repr(mask(name, text))
        seen.setdefault(_one_size(name), set()).add(error)
    return {name: " | ".join(sorted(answers)) for name, answers in seen.items()}


def _fresh(name, text):
    return shape(text) if name in UNDETERMINED else zeros(text)


@scenario()
def content_fresh(stage):
    child = stage.cgroup()
    for name, answer in _answers(stage, child, _fresh).items():
        stage.note(f"child/{name}", answer)


@scenario()
def content_grandchild(stage):
    """A parent is charged for its child's own memory, so memory's are compared by grammar."""
    child = stage.cgroup()
    os.mkdir(child + "/grandchild")
    mask = (lambda name, text: shape(text)) if stage.hierarchy == "memory" else _fresh
    for where in "child", "child/grandchild":
        path = child if where == "child" else child + "/grandchild"
        for name, answer in _answers(stage, path, mask).items():
            stage.note(f"{where}/{name}", answer)


def _root(name, text):
    if name.startswith("cgroup.procs") or name == "tasks":
        return "numbers" if all(line.isdigit() for line in text.split()) else text
    for value, symbol in ((MACHINE.cpus, "<cpus>"), (MACHINE.mems, "<mems>")):
        if name.startswith("cpuset.") and text == value + "\n":
            if name.endswith("cpus") == (symbol == "<cpus>") and name[-4:] in ("cpus", "mems"):
                return symbol + "\n"
    if name.startswith("blkio."):
        return DEVICE_LINE.sub("", text) and shape(DEVICE_LINE.sub("", text))
    return shape(text) if COUNTER.search(name) else text


@scenario()
def content_root(stage):
    for name, answer in _answers(stage, stage.root, _root).items():
        stage.note(f"root/{name}", answer)
