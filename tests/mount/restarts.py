# SPDX-License-Identifier: MIT
"""
What a daemon takes for members after it was ended again and again: run by test_restarts.py in a
session of its own, as whoever started it is the first stranger to be taken for one, and stopped.

    restarts.py DIRECTORY SOURCE

Prints one line for each thing that is wrong.
"""

import concurrent.futures
import itertools
import os
import pathlib
import signal
import subprocess
import sys

import mounting

ACTIONS = ("nothing", "read", "write", "fork")
AT_ONCE = 6

# Forks for each line that it reads, and tells whom.
FORKER = "while read -r _; do sleep 1000 >/dev/null & echo $!; done"


class Life:
    """One state directory, and the daemons that go on with it one after the other."""

    def __init__(self, directory, source, ends, action):
        self.name = f"{source}, {'+'.join(end.name for end in ends)}, {action}"
        self.mount = directory / "mount"
        self.mount.mkdir(parents=True)
        self.options = ("-o", f"state={directory}/state,accounting={source},controllers=freezer:pids")
        self.ends, self.action = ends, action
        self.box, self.ice = self.mount / "pids" / "box", self.mount / "freezer" / "ice"
        self.processes = []

    def spawn(self, *command):
        self.processes.append(subprocess.Popen(command, text=True, stdin=subprocess.PIPE,
                                               stdout=subprocess.PIPE))
        return self.processes[-1]

    def fork(self):
        self.forker.stdin.write("\n")
        self.forker.stdin.flush()
        self.members.append(int(self.forker.stdout.readline()))

    def start(self):
        self.daemon = mounting.Daemon(self.mount, *self.options)

    def end(self, how):
        self.daemon.process.send_signal(how)
        self.daemon.process.communicate()

    def fill(self):
        self.spawn("sleep", "1000")  # a stranger
        self.forker, frozen = self.spawn("sh", "-c", FORKER), self.spawn("sleep", "1000")
        self.members, self.frozen = [self.forker.pid], frozen.pid
        self.box.mkdir()
        self.ice.mkdir()
        (self.box / "cgroup.procs").write_text(str(self.forker.pid))
        (self.ice / "cgroup.procs").write_text(str(frozen.pid))
        (self.ice / "freezer.state").write_text("FROZEN")
        self.spawn("sleep", "1000")  # and a newer one

    def act(self):
        if self.action == "read":
            (self.box / "pids.current").read_text()
        elif self.action == "write":
            (self.box / "pids.max").write_text("100")
        elif self.action == "fork":
            self.fork()

    def not_frozen(self):
        """What it is else. A member that has just been stopped may take its time."""
        def state():
            return (self.ice / "freezer.state").read_text().strip()

        mounting.wait_until(lambda: state() != "FREEZING")
        return None if state() == "FROZEN" else state()

    def problems(self):
        found = {int(pid) for pid in (self.box / "cgroup.procs").read_text().split()}
        if found != set(self.members):
            yield f"members {sorted(found)}, not {sorted(self.members)}"
        found = [int(pid) for pid in (self.ice / "cgroup.procs").read_text().split()]
        if found != [self.frozen]:
            yield f"frozen {found}, not {self.frozen}"
        if state := self.not_frozen():
            yield f"{state}, not frozen any more"
        strangers = [process.pid for process in self.processes if process.pid != self.frozen]
        yield from (f"{pid} is stopped" for pid in strangers if is_stopped(pid))

    def run(self):
        try:
            self.start()
            self.fill()
            for number, end in enumerate(self.ends, 1):
                self.act()
                self.end(end)
                if self.action == "fork":
                    self.fork()
                self.start()
                for problem in self.problems():
                    return f"{self.name}: after {number}: {problem}"
            return None
        finally:
            self.leave()

    def leave(self):
        for process in self.processes:
            process.kill()
            process.communicate() if process is not self.forker else process.wait()
        for pid in self.members[1:]:
            os.kill(pid, signal.SIGKILL)
        self.end(signal.SIGTERM)


def is_stopped(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(") ", 1)[1][0] == "T"


def main():
    directory, source = pathlib.Path(sys.argv[1]), sys.argv[2]
    ways = itertools.product(itertools.product((signal.SIGKILL, signal.SIGTERM), repeat=3), ACTIONS)
    lives = [Life(directory / str(number), source, *way) for number, way in enumerate(ways)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for problem in pool.map(Life.run, lives):
            if problem:
                print(problem, flush=True)


if __name__ == "__main__":
    main()
