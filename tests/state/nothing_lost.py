#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Nothing lost: kill -9 the daemon again and again, and hold what the next one serves against a model.

A random workload makes, removes, renames and changes cgroups, moves processes
that fork, and reads counters. What was acknowledged must be there after a restart;
what was under way when the daemon was killed may have happened or not; and no
counter may be below what was once read.
"""

import argparse
import errno
import os
import pathlib
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "mount"))
import mounting  # noqa: E402

HIERARCHIES = ("blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "net_cls",
               "pids", "systemd")
# Files whose text must be the same after a restart, and what may be written to them.
VALUES = {
    "blkio": {"blkio.weight": ("10", "500", "1000"), "blkio.leaf_weight": ("20", "900")},
    "cpu": {"cpu.shares": ("2", "512", "2048"), "cpu.cfs_quota_us": ("-1", "50000", "20000"),
            "cpu.cfs_period_us": ("100000", "50000"), "cpu.idle": ("0", "1"),
            "cpu.rt_period_us": ("1000000", "500000")},
    "cpuacct": {"cgroup.clone_children": ("0", "1")},
    "cpuset": {"cpuset.cpus": ("0", "0-1", "1"), "cpuset.mems": ("0",),
               "cpuset.cpu_exclusive": ("0", "1"), "cpuset.memory_migrate": ("0", "1"),
               "cpuset.sched_relax_domain_level": ("-1", "0")},
    "devices": {"devices.allow": ("a", "c 1:3 rwm", "b 8:* rw"),
                "devices.deny": ("a", "c 1:3 w", "c 5:* m"), "devices.list": ()},
    "freezer": {"freezer.self_freezing": (), "freezer.parent_freezing": (),
                "freezer.state": ("FROZEN", "THAWED")},
    "memory": {"memory.limit_in_bytes": ("-1", "64G", "128G"),
               "memory.memsw.limit_in_bytes": ("-1", "256G"),
               "memory.soft_limit_in_bytes": ("10M", "-1"), "memory.swappiness": ("0", "60", "100"),
               "memory.oom_control": ("0", "1")},
    "net_cls": {"net_cls.classid": ("1", "0x100001")},
    "pids": {"pids.max": ("max", "1000", "5000")},
    "systemd": {"notify_on_release": ("0", "1")},
}
COUNTERS = {
    "cpuacct": ("cpuacct.usage", "cpuacct.usage_user", "cpuacct.usage_sys", "cpuacct.stat"),
    "memory": ("memory.max_usage_in_bytes", "memory.stat"),
    "pids": ("pids.peak", "pids.events"),
    "blkio": ("blkio.throttle.io_service_bytes", "blkio.throttle.io_serviced_recursive"),
}
COUNTED_STATS = ("pgpgin", "pgpgout", "pgfault", "pgmajfault", "total_pgfault", "total_pgpgin")

WORKER = """
import os, sys, time, mmap
kept = []
for line in sys.stdin:
    word = line.strip()
    if word == "work":
        end = time.process_time() + 0.002
        while time.process_time() < end: pass
        kept.append(bytearray(1 << 16))
        print(0, flush=True)
    elif word == "short":
        pid = os.fork()
        if not pid:
            end = time.process_time() + 0.003
            while time.process_time() < end: pass
            os._exit(0)
        os.waitpid(pid, 0)
        print(0, flush=True)
    elif word == "fork":
        pid = os.fork()
        if not pid:
            os.close(0); os.close(1)
            time.sleep(1000); os._exit(0)
        print(pid, flush=True)
    elif word == "orphan":
        reader, writer = os.pipe()
        middle = os.fork()
        if not middle:
            pid = os.fork()
            if not pid:
                os.close(0); os.close(1)
                time.sleep(1000); os._exit(0)
            os.write(writer, str(pid).encode()); os._exit(0)
        os.waitpid(middle, 0)
        print(os.read(reader, 20).decode(), flush=True)
        os.close(reader); os.close(writer)
"""

DOWN = {errno.ENOTCONN, errno.ECONNABORTED, errno.EIO, errno.ENODEV, errno.EINTR}


class Down(Exception):
    """The daemon was killed under an operation."""


class Worker:
    def __init__(self):
        self.process = subprocess.Popen(["/usr/bin/python3", "-uc", WORKER], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        start_new_session=True)
        self.pid = self.process.pid

    def ask(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


class Run:
    def __init__(self, mount, directory, options, rng):
        self.mount, self.directory, self.options, self.rng = mount, directory, options, rng
        self.daemon = None
        self.cgroups = {}  # path -> {file: text}, with "" for the attributes
        self.workers = []
        self.members = {}  # pid -> {hierarchy: path}; paths are below the mount
        self.shown = {}  # (inode, file, figure) -> value
        self.uncertain = set()  # what was under way
        self.checks = self.operations = 0
        self.orphans = []

    # --- the daemon ---

    def start(self):
        began = time.monotonic()
        self.daemon = mounting.Daemon(self.mount, "-o", f"state={self.directory}", *self.options)
        self.start_time = time.monotonic() - began

    def kill(self):
        self.daemon.process.kill()

    def call(self, function, *arguments):
        """An operation; Down when the daemon is killed meanwhile."""
        try:
            return function(*arguments)
        except OSError as error:
            # Its mount is dead before it is.
            if error.errno in DOWN and mounting.wait_until(lambda: self.daemon.process.poll() is not None):
                raise Down from None
            raise

    # --- reading ---

    def read(self, path):
        return (self.mount / path).read_text()

    def attributes(self, path):
        full = self.mount / path
        info = os.stat(full)
        return str((info.st_ino, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid,
                    info.st_mtime_ns, info.st_atime_ns, info.st_ctime_ns,
                    sorted((name, os.getxattr(full, name)) for name in os.listxattr(full))))

    def look(self, path):
        """All of a cgroup that must not change by itself."""
        hierarchy = path.split("/")[0]
        seen = {"": self.attributes(path)}
        for name in (*VALUES[hierarchy], "notify_on_release", "cgroup.clone_children"):
            if name not in ("devices.allow", "devices.deny"):
                if os.path.exists(self.mount / path / name):
                    seen[name] = self.read(f"{path}/{name}")
        return seen

    def update(self, top):
        """Takes over what is shown, after an acknowledged change of `top` and all below."""
        for path in list(self.cgroups):
            if path == top or path.startswith(top + "/"):
                self.cgroups[path] = self.look(path)

    # --- operations ---

    def below_root(self):
        return [path for path in self.cgroups if "/" in path]

    def pick(self, rng):
        paths = self.below_root()
        return rng.choice(paths) if paths else None

    def make(self):
        parent = self.rng.choice([path for path in self.cgroups if path.count("/") < 4])
        path = f"{parent}/c{self.rng.randrange(10 ** 6)}"
        self.uncertain = {path}
        os.mkdir(self.mount / path, 0o755 if self.rng.random() < 0.7 else 0o750)
        self.cgroups[path] = None
        self.update(path)

    def remove(self):
        path = self.pick(self.rng)
        if not path:
            return
        self.uncertain = {path}
        try:
            os.rmdir(self.mount / path)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return
        del self.cgroups[path]

    def rename(self):
        path = self.pick(self.rng)
        if not path:
            return
        new = f"{path.rsplit('/', 1)[0]}/r{self.rng.randrange(10 ** 6)}"
        self.uncertain = {(path, new)}
        os.rename(self.mount / path, self.mount / new)
        self.renamed(path, new)

    def renamed(self, path, new):
        def moved(name):
            return new + name[len(path):] if name == path or name.startswith(path + "/") else name
        self.cgroups = {moved(name): seen for name, seen in self.cgroups.items()}
        for places in self.members.values():
            for hierarchy, place in places.items():
                places[hierarchy] = moved(place)

    def write(self):
        path = self.rng.choice(list(self.cgroups))
        choices = [(name, text) for name, texts in VALUES[path.split("/")[0]].items()
                   for text in texts] + [("notify_on_release", "1")]
        name, text = self.rng.choice(choices)
        if not os.path.exists(self.mount / path / name):
            return
        self.uncertain = {path}
        try:
            with open(self.mount / path / name, "w", encoding="ascii") as file:
                file.write(text)
        except OSError as error:
            if error.errno in DOWN:
                raise
        self.update(path)

    def change(self):
        path = self.pick(self.rng)
        if not path:
            return
        self.uncertain = {path}
        full = self.mount / path
        what = self.rng.randrange(4)
        if what == 0:
            os.chmod(full, self.rng.choice((0o700, 0o755, 0o775)))
        elif what == 1:
            os.chown(full, self.rng.randrange(3) * 1000, self.rng.randrange(3) * 1000)
        elif what == 2:
            os.utime(full, ns=(self.rng.randrange(10 ** 18), self.rng.randrange(10 ** 18)))
        else:
            os.setxattr(full, f"user.x{self.rng.randrange(3)}", os.urandom(8))
        self.update(path)

    def attach(self):
        path = self.rng.choice(list(self.cgroups))
        hierarchy = path.split("/")[0]
        if hierarchy == "freezer":
            return  # a stopped worker answers no commands
        pid = self.rng.choice(list(self.members))
        self.uncertain = {pid}
        try:
            with open(self.mount / path / "cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(pid))
        except OSError as error:
            if error.errno in DOWN:
                raise
            return  # a cpuset without CPUs
        self.members[pid][hierarchy] = path

    def fork(self):
        worker = self.rng.choice(self.workers)
        orphan = self.rng.random() < 0.3
        pid = worker.ask("orphan" if orphan else "fork")
        self.members[pid] = dict(self.members[worker.pid])
        if not orphan:
            return
        self.orphans.append(pid)
        for hierarchy, path in self.members[pid].items():  # once it was shown, it stays
            self.uncertain.add(pid)
            if "/" in path:
                assert pid in self.procs(path), f"orphan {pid} is not in {path}"

    def work(self):
        self.rng.choice(self.workers).ask(self.rng.choice(("work", "short")))

    def end(self):
        children = [pid for pid in self.members if pid not in {w.pid for w in self.workers}]
        if len(children) > 12:
            self.end_one(self.rng.choice(children))

    def end_one(self, pid):
        os.kill(pid, signal.SIGKILL)
        del self.members[pid]

    def procs(self, path):
        return [int(pid) for pid in self.read(f"{path}/cgroup.procs").split()]

    # --- counters ---

    @staticmethod
    def figures(name, text):
        if name == "memory.stat":
            return {line.split()[0]: int(line.split()[1]) for line in text.splitlines()
                    if line.split()[0] in COUNTED_STATS}
        return {line.rsplit(" ", 1)[0] if " " in line else "": int(line.split()[-1])
                for line in text.splitlines()}

    def count(self, path=None):
        path = path or self.rng.choice([path for path in self.cgroups
                                        if path.split("/")[0] in COUNTERS])
        inode = os.stat(self.mount / path).st_ino
        for name in COUNTERS[path.split("/")[0]]:
            if not os.path.exists(self.mount / path / name):
                continue
            for figure, value in self.figures(name, self.read(f"{path}/{name}")).items():
                last = self.shown.get((inode, name, figure), 0)
                assert value >= last, \
                    f"{path}/{name} {figure}: went back from {last} to {value}"
                self.shown[inode, name, figure] = value

    # --- after a restart ---

    def listed(self):
        found = []
        for hierarchy in HIERARCHIES:
            for directory, _, _ in os.walk(self.mount / hierarchy):
                found.append(str(pathlib.Path(directory).relative_to(self.mount)))
        return set(found)

    def settle(self, found):
        """What was under way may have happened or not; takes over which."""
        for item in self.uncertain:
            if isinstance(item, tuple):
                if item[1] in found and item[0] not in found:
                    self.renamed(*item)
                    item = item[1]
                else:
                    item = item[0]
            if isinstance(item, str):
                if item in found and item not in self.cgroups:
                    self.cgroups[item] = None
                elif item not in found:
                    self.cgroups.pop(item, None)
                self.update(item)
                if item.startswith("freezer/"):
                    self.update("freezer")
            elif item in self.members:
                for hierarchy in HIERARCHIES:
                    places = [path for path in found if path.split("/")[0] == hierarchy and
                              "/" in path and item in self.procs(path)]
                    self.members[item][hierarchy] = places[0] if places else hierarchy
        self.uncertain = set()

    def check(self):
        found = self.listed()
        self.settle(found)
        assert found == set(self.cgroups), \
            f"cgroups: {found - set(self.cgroups)} came, {set(self.cgroups) - found} went"
        for path, expected in self.cgroups.items():
            seen = self.look(path)
            for name, text in expected.items():
                assert seen[name] == text, f"{path}/{name}: was {text!r}, is {seen[name]!r}"
                self.checks += 1
            if path.split("/")[0] in COUNTERS:
                self.count(path)
            if "/" in path:
                procs = set(self.procs(path))
                for pid, places in self.members.items():
                    belongs = places[path.split("/")[0]] == path
                    assert (pid in procs) == belongs, \
                        f"{path}/cgroup.procs: {pid} {'is missing' if belongs else 'is there'}"
                    self.checks += 1

    # --- the whole ---

    def step(self):
        kind = self.rng.choices(
            (self.make, self.remove, self.rename, self.write, self.change, self.attach, self.fork,
             self.work, self.end, self.count), (12, 7, 4, 16, 6, 10, 3, 12, 2, 12))[0]
        if len(self.cgroups) > 60 and kind == self.make:
            kind = self.remove
        self.uncertain = set()
        self.call(kind)
        self.uncertain = set()
        self.operations += 1

    def round(self):
        timer = threading.Timer(self.rng.uniform(0.02, 0.7), self.kill)
        timer.start()
        try:
            while True:
                self.step()
        except Down:
            pass
        finally:
            timer.cancel()
        self.daemon.process.communicate()
        for worker in self.workers:  # while nobody looks
            if self.rng.random() < 0.5:
                pid = worker.ask("fork")
                self.members[pid] = dict(self.members[worker.pid])
            worker.ask("work")
        self.end()
        self.start()
        self.check()

    def run(self, kills):
        self.start()
        for hierarchy in HIERARCHIES:
            self.cgroups[hierarchy] = self.look(hierarchy)
        self.workers = [Worker() for _ in range(3)]
        for worker in self.workers:
            self.members[worker.pid] = {hierarchy: hierarchy for hierarchy in HIERARCHIES}
        for number in range(1, kills + 1):
            self.round()
            if number % 10 == 0:
                print(f"  {number} kills: {self.operations} operations, {len(self.cgroups)} "
                      f"cgroups, {len(self.members)} processes, {self.checks} comparisons",
                      flush=True)
        status = self.daemon.stop(signal.SIGTERM)
        assert status == (0, ""), status
        self.start()
        self.check()
        print(f"restart in order: the same; the last start took {self.start_time * 1000:.0f} ms")
        assert self.daemon.stop(signal.SIGTERM) == (0, "")

    def clean(self):
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()
        for pid in self.members:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--accounting", default="auto")
    arguments = parser.parse_args()
    reason = mounting.why_no_mount()
    if reason:
        print(f"skipped: {reason}")
        return 0
    seed = arguments.seed if arguments.seed is not None else random.randrange(10 ** 9)
    print(f"nothing lost: {arguments.kills} kills, --seed {seed}", flush=True)
    directory = tempfile.mkdtemp(prefix="fcg-state-")
    with mounting.mount_point() as mount:
        run = Run(mount, directory, ("-o", f"accounting={arguments.accounting}"),
                  random.Random(seed))
        began = time.monotonic()
        try:
            run.run(arguments.kills)
        finally:
            run.clean()
            if run.daemon and run.daemon.process.poll() is None:
                run.daemon.process.kill()
                run.daemon.process.communicate()
            shutil.rmtree(directory)
    print(f"{arguments.kills} kills, {run.operations} operations, {run.checks} comparisons, "
          f"{len(run.shown)} counters that never went back, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
