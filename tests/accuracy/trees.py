# SPDX-License-Identifier: MIT
"""One workload in a cgroup of the kernel's and in one of ours at once."""
import os
import pathlib
import subprocess
import tempfile
import time

HIERARCHIES = ("cpuacct", "memory", "blkio", "pids")
KERNEL = pathlib.Path("/sys/fs/cgroup")


class Mount:
    """Our tree, mounted for one run."""

    def __init__(self, binary, source):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="fcg-accuracy-"))
        self.log = tempfile.TemporaryFile("w+")
        self.daemon = subprocess.Popen([binary, "-f", "-o", f"accounting={source}", self.path],
                                       stderr=self.log)
        for _ in range(100):
            if (self.path / "memory").is_dir() or self.daemon.poll() is not None:
                break
            time.sleep(0.05)
        if self.daemon.poll() is not None:
            self.log.seek(0)
            raise SystemExit(f"the daemon did not start: {self.log.read()}")

    def close(self):
        self.daemon.terminate()
        status = self.daemon.wait()
        self.path.rmdir()
        if status:
            raise SystemExit(f"the daemon ended with status {status}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Pair:
    """A cgroup of the same name in the kernel's hierarchies and in ours."""

    def __init__(self, mount, name):
        name = f"fcg-accuracy-{os.getpid()}-{name}"
        self.kernel = {h: KERNEL / h / name for h in HIERARCHIES}
        self.ours = {h: mount.path / h / name for h in HIERARCHIES}

    def __enter__(self):
        for directory in self._directories():
            directory.mkdir()
        return self

    def __exit__(self, *_):
        for directory in self._directories():
            for _ in range(100):
                try:
                    directory.rmdir()
                    break
                except OSError:
                    time.sleep(0.05)

    def _directories(self):
        return [*self.kernel.values(), *self.ours.values()]

    def _enter_child(self):
        for directory in self._directories():
            with open(directory / "cgroup.procs", "w", encoding="ascii") as procs:
                procs.write("0")

    def start(self, command, **options):
        """A process that enters both before it runs `command`."""
        return subprocess.Popen(command, preexec_fn=self._enter_child, **options)

    def numbers(self, file):
        """What the file of this name says in both: (kernel's, ours)."""
        hierarchy = file.split(".")[0]
        return tuple(int(directory[hierarchy].joinpath(file).read_text())
                     for directory in (self.kernel, self.ours))

    def stats(self, key):
        """A line of memory.stat in both."""
        def figure(directory):
            lines = directory["memory"].joinpath("memory.stat").read_text().splitlines()
            return int(dict(line.split() for line in lines)[key])
        return figure(self.kernel), figure(self.ours)

    def io_bytes(self, direction, device=None):
        """blkio bytes of all devices, or of the one with this number, in both."""
        def total(directory):
            text = directory["blkio"].joinpath("blkio.throttle.io_service_bytes").read_text()
            return sum(int(line.split()[2]) for line in text.splitlines()
                       if line.split()[1:2] == [direction] and line.split()[0] == (device or line.split()[0]))
        return total(self.kernel), total(self.ours)

    def members(self):
        """The sorted process lists of both."""
        return tuple(directory["pids"].joinpath("cgroup.procs").read_text()
                     for directory in (self.kernel, self.ours))
