# SPDX-License-Identifier: MIT
"""The processes of a scenario under symbolic names, and the cgroups that list them."""
import os
import time

from . import ops
from .actor import start_thread

FILES = "cgroup.procs", "tasks"
PATIENCE = 20  # seconds


def ready(stage, path):
    """Makes a cgroup able to take tasks: a cpuset needs CPUs and nodes for it."""
    if stage.hierarchy == "cpuset":
        for file in "cpuset.cpus", "cpuset.mems":
            value = ops.read_raw(os.path.join(os.path.dirname(path), file))
            ops.write(os.path.join(path, file), value)
    return path


class Cast:
    """Processes under symbolic names, and where they are."""

    def __init__(self, stage):
        self.stage = stage
        self.names = {}
        self._elsewhere = {}  # what each cgroup listed last

    def process(self, name, **kwargs):
        """A new process, in the hierarchy's root."""
        actor = self.stage.actor(**kwargs)
        self.names[actor.pid] = name
        ops.write(os.path.join(self.stage.root, "cgroup.procs"), str(actor.pid).encode())
        return actor

    def thread(self, actor, name):
        tid = actor.call(start_thread)
        self.names[tid] = name
        return tid

    def name(self, number, name):
        self.names[number] = name
        return number

    def list(self, path, file, text=None):
        """Names in a list, "(other)" for foreign ones, and a mark when it is not in order."""
        try:
            text = ops.read_raw(os.path.join(path, file)) if text is None else text
        except OSError as error:
            self._elsewhere.pop((path, file), None)
            return ops.errname(error)
        numbers = [int(line) for line in text.split()]
        names = [self.names.get(number, "(other)") for number in numbers]
        self._elsewhere[path, file] = numbers
        mark = "" if numbers == sorted(set(numbers)) else " NOT SORTED OR NOT UNIQUE"
        return f"[{' '.join(sorted(names))}]{mark}"

    def empty(self, path):
        """Moves whoever is in a cgroup to the root."""
        for number in ops.read_raw(os.path.join(path, "cgroup.procs")).split():
            ops.write(os.path.join(self.stage.root, "cgroup.procs"), number)

    def both(self, path):
        return " ".join(self.list(path, file) for file in FILES)

    def in_root(self):
        """Which of ours are in the root.

        Where others fork meanwhile, the kernel's list may end early (pidlist_array_load
        counts first); who is expected there is looked for again.
        """
        for path, file in list(self._elsewhere):
            self.list(path, file)  # who has left since it was listed is expected too
        expected = set(self.names) - {n for numbers in self._elsewhere.values() for n in numbers}
        found = set()
        for _ in range(5):
            found |= set(map(int, ops.read_raw(f"{self.stage.root}/tasks").split()))
            if expected <= found:
                break
        return f"[{' '.join(sorted(n for p, n in self.names.items() if p in found))}]"


def until(condition):
    """Whether it holds, now or within what a busy machine may take."""
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()
