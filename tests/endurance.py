#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does to daemons for a long time what nodes do all day, and looks whether they grow.

    endurance.py DAEMON SECONDS

One daemon by events and one by scan, each with a state directory, side by side. Pods come and go: their
cgroups are made in all hierarchies, written to, frozen and thawed, renamed, and removed; their processes
fork. All files of the newest are read as cAdvisor reads them. Prints what each daemon has once a minute, and
fails if its memory, its descriptors, its threads or its state file have grown since a third of the time had
gone by.
"""

import contextlib
import ctypes
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback

PODS = 6  # that live at a time
REST = 0.6  # seconds from one to the next
SOURCES = ("events", "scan")
MAY_GROW = {"memory": 1.25, "descriptors": 2, "threads": 2, "state": 3}  # times, from one minute to another


class Pod:
    def __init__(self, mount, number, rng):
        self.mount, self.name = mount, f"pod{number}"
        self.cgroups = [hierarchy / self.name for hierarchy in mount.iterdir()]
        for cgroup in self.cgroups:
            cgroup.mkdir()
        for file in ("cpus", "mems"):
            self.write("cpuset", f"cpuset.{file}", "0")
        self.write("memory", "memory.limit_in_bytes", "512M")
        self.start(rng)

    def write(self, hierarchy, file, text):
        (self.mount / hierarchy / self.name / file).write_text(text, encoding="ascii")

    def start(self, rng):
        """A process with children of all lengths of life; it begins when it is a member of all."""
        joined, tell = os.pipe()
        children = [(rng.randint(1, 200) << 10, rng.random() < .8) for _ in range(rng.randint(3, 15))]
        self.pid = os.fork()
        if not self.pid:
            os.close(tell)
            os.read(joined, 1)
            live(children)
        os.close(joined)
        for cgroup in self.cgroups:
            (cgroup / "cgroup.procs").write_text(str(self.pid), encoding="ascii")
        os.close(tell)

    def read(self):
        for cgroup in self.cgroups:
            for file in cgroup.iterdir():
                with contextlib.suppress(OSError):
                    file.read_bytes()

    def disturb(self, rng):
        if rng.random() < .3:
            for state in ("FROZEN", "THAWED"):
                self.write("freezer", "freezer.state", state)
        if rng.random() < .3:
            self.watch()
        if rng.random() < .3:
            path = self.mount / "pids" / self.name
            other = path.with_name(self.name + "r")
            path.rename(other)
            other.rename(path)
            os.setxattr(self.mount / "cpu" / self.name, "user.a", b"x" * 100)

    def watch(self):
        """An eventfd that is closed while it is registered."""
        event = ctypes.CDLL(None).eventfd(0, 0)
        usage = os.open(self.mount / "memory" / self.name / "memory.usage_in_bytes", os.O_RDONLY)
        self.write("memory", "cgroup.event_control", f"{event} {usage} 1M")
        os.close(usage)
        os.close(event)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        for cgroup in self.cgroups:
            remove(cgroup)


def live(children):
    for size, is_awaited in children:
        child = os.fork()
        if not child:
            bytearray(size)
            os._exit(0)
        if is_awaited:
            os.waitpid(child, 0)
    while os.getppid() != 1:
        time.sleep(0.5)
    os._exit(0)


def remove(cgroup):
    """Orphans of the pod may be there for a moment more."""
    for _ in range(500):
        try:
            return cgroup.rmdir()
        except OSError:
            time.sleep(0.02)
    return cgroup.rmdir()


class Figures:
    """What a daemon has, once a minute."""

    def __init__(self, pid, state):
        self.pid, self.state, self.all = pid, state, []

    def take(self):
        status = dict(line.split(":", 1) for line in
                      pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines())
        self.all.append({"memory": int(status["VmRSS"].split()[0]), "threads": int(status["Threads"]),
                         "descriptors": len(os.listdir(f"/proc/{self.pid}/fd")),
                         "state": (self.state / "state").stat().st_size})
        return " ".join(f"{name} {value}" for name, value in self.all[-1].items())

    def grown(self):
        """What has grown from the second third to the last one, by the most that was seen in each."""
        third = len(self.all) // 3
        parts = self.all[third:2 * third], self.all[2 * third:]
        return [name for name, times in MAY_GROW.items()
                if third and max(f[name] for f in parts[1]) > times * max(f[name] for f in parts[0])]


def churn(daemon, source, seconds):
    with tempfile.TemporaryDirectory() as directory:
        mount, state = pathlib.Path(directory, "mount"), pathlib.Path(directory, "state")
        mount.mkdir()
        with subprocess.Popen([daemon, "-f", "-o", f"accounting={source},state={state}", mount]) as server:
            try:
                return play(mount, Figures(server.pid, state), source, seconds)
            finally:
                server.terminate()


def play(mount, figures, source, seconds):
    rng, pods, number = random.Random(1), [], 0
    start = looked = time.monotonic()
    while not any(mount.iterdir()):
        time.sleep(0.05)
    while time.monotonic() - start < seconds:
        number += 1
        pods.append(Pod(mount, number, rng))
        for pod in pods[-3:]:
            pod.read()
        pods[-1].disturb(rng)
        if len(pods) > PODS:
            pods.pop(0).end()
        if time.monotonic() >= looked:
            looked += 60
            print(f"{source}: {time.monotonic() - start:.0f} s, {number} pods: {figures.take()}", flush=True)
        time.sleep(REST)
    for pod in pods:
        pod.end()
    return figures.grown()


def report(daemon, source, seconds):
    try:
        grown = churn(daemon, source, seconds)
        print(f"{source}: {'grown: ' + ', '.join(grown) if grown else 'nothing has grown'}", flush=True)
        return bool(grown)
    except BaseException:  # a forked process never goes on as its parent
        traceback.print_exc()
        return True


def main():
    pids = []
    for source in SOURCES:
        pids.append(os.fork())
        if not pids[-1]:
            os._exit(report(sys.argv[1], source, float(sys.argv[2])))
    sys.exit(any([os.waitpid(pid, 0)[1] for pid in pids]))


if __name__ == "__main__":
    main()
