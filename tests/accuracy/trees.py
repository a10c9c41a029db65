# SPDX-License-Identifier: MIT
"""One workload in a cgroup of the kernel's and in ones of ours at once."""
import os
import pathlib
import subprocess
import tempfile
import time

HIERARCHIES = ("cpuacct", "memory", "blkio", "pids")
CONTROLLERS = "+cpu +memory +io +pids" # the same of v2
KERNEL = pathlib.Path("/sys/fs/cgroup")


class Mount:
    """Our tree, mounted for one run."""

    def __init__(self, binary, source, version="v1"):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="fcg-accuracy-"))
        self.log = tempfile.TemporaryFile("w+")
        options = f"accounting={source}" + (",v2" if version == "v2" else "")
        self.daemon = subprocess.Popen([binary, "-f", "-o", options, self.path], stderr=self.log)
        self.cgroup = CGROUPS[version]
        for _ in range(100):
            if any(self.path.iterdir()) or self.daemon.poll() is not None:
                break
            time.sleep(0.05)
        if self.daemon.poll() is not None:
            self.log.seek(0)
            raise SystemExit(f"the daemon did not start: {self.log.read()}")
        self.cgroup(self.path, "").hand_on()

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


def lines_of(file):
    """The numbers of a file of lines, by their names."""
    return {name: int(value) for name, value in map(str.split, file.read_text().splitlines())}


class Legacy:
    """A cgroup of v1: one of the name in each hierarchy."""

    HOUSEKEEPING = ("cpuacct.usage", "cpuacct.usage_percpu", "memory.usage_in_bytes", "memory.stat",
                    "blkio.throttle.io_service_bytes", "pids.current")

    def __init__(self, root, name):
        self.of = {hierarchy: root / hierarchy / name for hierarchy in HIERARCHIES}
        self.directories = list(self.of.values())

    def hand_on(self):
        """Has children have all controllers, as they have on v1."""

    def file(self, name):
        return self.of[name.split(".")[0]] / name

    def number(self, file):
        return int(self.file(file).read_text())

    def stat(self, key):
        """A line of memory.stat."""
        return lines_of(self.of["memory"] / "memory.stat")[key]

    def io_bytes(self, direction, device=None):
        """Of all devices, or of the one with this number."""
        text = (self.of["blkio"] / "blkio.throttle.io_service_bytes").read_text()
        lines = [line.split() for line in text.splitlines()]
        return sum(int(line[2]) for line in lines
                   if line[1:2] == [direction] and line[0] == (device or line[0]))

    def members(self):
        return (self.of["pids"] / "cgroup.procs").read_text()


class Unified:
    """A cgroup of v2, asked in v1's words."""

    HOUSEKEEPING = ("cpu.stat", "memory.current", "memory.stat", "io.stat", "pids.current")
    NAMES = {"memory.usage_in_bytes": "memory.current", "memory.max_usage_in_bytes": "memory.peak",
             "rss": "anon", "rss_huge": "anon_thp", "cache": "file", "mapped_file": "file_mapped"}

    def __init__(self, root, name):
        self.directory = root / name
        self.directories = [self.directory]

    def hand_on(self):
        (self.directory / "cgroup.subtree_control").write_text(CONTROLLERS)

    def file(self, name):
        return self.directory / name

    def number(self, file):
        if file == "cpuacct.usage":
            return lines_of(self.directory / "cpu.stat")["usage_usec"] * 1000
        return int((self.directory / self.NAMES.get(file, file)).read_text())

    def stat(self, key):
        return lines_of(self.directory / "memory.stat")[self.NAMES[key]]

    def io_bytes(self, direction, device=None):
        key = f"{direction[0].lower()}bytes="
        lines = [line.split() for line in (self.directory / "io.stat").read_text().splitlines()]
        return sum(int(word.removeprefix(key)) for line in lines if line[0] == (device or line[0])
                   for word in line if word.startswith(key))

    def members(self):
        return (self.directory / "cgroup.procs").read_text()


CGROUPS = {"v1": Legacy, "v2": Unified}


class Together:
    """A cgroup of the same name in the kernel's tree and in ours; of figures the kernel's come first."""

    def __init__(self, mounts, name):
        name = f"fcg-accuracy-{os.getpid()}-{name}"
        self.cgroups = [Legacy(KERNEL, name), *(mount.cgroup(mount.path, name) for mount in mounts)]

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
        return [directory for cgroup in self.cgroups for directory in cgroup.directories]

    def procs(self):
        """The files by which a process enters all of them."""
        return [directory / "cgroup.procs" for directory in self._directories()]

    def _enter_child(self):
        for file in self.procs():
            file.write_text("0", encoding="ascii")

    def start(self, command, **options):
        """A process that enters all before it runs `command`."""
        return subprocess.Popen(command, preexec_fn=self._enter_child, **options)

    def numbers(self, file):
        """What the file of this name says."""
        return [cgroup.number(file) for cgroup in self.cgroups]

    def stats(self, key):
        """A line of memory.stat."""
        return [cgroup.stat(key) for cgroup in self.cgroups]

    def io_bytes(self, direction, device=None):
        """blkio bytes of all devices, or of the one with this number."""
        return [cgroup.io_bytes(direction, device) for cgroup in self.cgroups]

    def members(self):
        """The sorted process lists."""
        return [cgroup.members() for cgroup in self.cgroups]
