# SPDX-License-Identifier: MIT
"""A stage: one hierarchy of one tree on which a scenario plays and notes the answers."""
import itertools
import os
import time

from . import ops
from .actor import Actor

_numbers = itertools.count(1)
PREFIX = "fcg-oracle-"


class Stage:
    """Gives a scenario cgroups and processes of its own, and takes them away afterwards."""

    def __init__(self, hierarchy, root, directories, left_out=()):
        self.hierarchy = hierarchy
        self.root = root
        self.directories = directories  # of every hierarchy of this tree
        self.left_out = frozenset(left_out)  # names that only this tree has
        self.answers = {}
        self.actors = []
        self._cgroups = []
        self._cleanups = []

    # noting answers

    def note(self, step, answer):
        """Notes an answer under a step's name, made unique by a number where needed."""
        name = step
        for number in itertools.count(2):
            if name not in self.answers:
                break
            name = f"{step} #{number}"
        self.answers[name] = answer

    def attempt(self, step, function, *args, **kwargs):
        self.note(step, ops.attempt(function, *args, **kwargs))

    def read(self, step, path):
        self.note(step, ops.read(path))

    def write(self, step, path, data, readback=None):
        """Notes a write's answer, and the content of `readback` (None: of the file) after it."""
        data = data if isinstance(data, bytes) else data.encode()
        answer = ops.write(path, data)
        readback = path if readback is None else readback
        self.note(f"{step} < {brief(data)}", f"{answer} -> {ops.read(readback)}")

    def store(self, step, path, data):
        """Notes a write's answer only."""
        data = data if isinstance(data, bytes) else data.encode()
        self.note(f"{step} < {brief(data)}", ops.write(path, data))

    # cgroups and processes

    def cgroup(self, hierarchy=None):
        """A fresh child of the hierarchy's root."""
        root = self.root if hierarchy is None else self.directories[hierarchy]
        path = os.path.join(root, f"{PREFIX}{os.getpid()}-{next(_numbers)}")
        os.mkdir(path)
        self._cgroups.append(path)
        return path

    def actor(self, **kwargs):
        """A forked process that does what it is told; ends with the scenario."""
        actor = Actor(f"p{len(self.actors) + 1}", **kwargs)
        self.actors.append(actor)
        return actor

    def at_exit(self, function, *args):
        self._cleanups.append((function, args))

    def names(self, path):
        """Files of a cgroup directory, without those that only this tree has."""
        return sorted(entry.name for entry in os.scandir(path)
                      if not entry.is_dir() and entry.name not in self.left_out)

    def close(self):
        for function, args in reversed(self._cleanups):
            ops.attempt(function, *args)
        for path in self._cgroups:
            _thaw(path)
        for actor in reversed(self.actors):
            actor.end()
        for path in self._cgroups:
            remove(path, self.root)


def brief(data, limit=40):
    """An input as a step's name shows it."""
    if len(data) <= limit:
        return ascii(data.decode("latin-1"))
    text = ascii(data[:12].decode("latin-1"))
    return f"{text}... of {len(data)} bytes"


def _thaw(path):
    for directory, _, files in os.walk(path):
        if "freezer.state" in files:
            ops.write(os.path.join(directory, "freezer.state"), b"THAWED")


def remove(path, root):
    """Removes a cgroup and those below it; processes left over go to the root."""
    for directory, _, _ in os.walk(path, topdown=False):
        for _ in range(1000):
            answer = ops.attempt(os.rmdir, directory)
            if answer != "EBUSY":
                break
            for pid in _members(directory):
                ops.write(os.path.join(root, "tasks"), pid)
            time.sleep(0.02)


def _members(directory):
    try:
        return ops.read_raw(os.path.join(directory, "tasks")).split()
    except OSError:
        return []
