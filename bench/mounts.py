# SPDX-License-Identifier: MIT
"""What is measured: our mount, libfuse's hello example, the kernel's own cgroups."""

import contextlib
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import time

BENCH = pathlib.Path(__file__).resolve().parent
BINARY = os.environ.get("FUSE_CGROUPFS", str(BENCH.parent / "build" / "fuse_cgroupfs"))
HELLO_C = "/usr/share/doc/libfuse3-dev/examples/hello.c"
KERNEL = pathlib.Path("/sys/fs/cgroup")
PATIENCE = 20  # seconds

HIERARCHIES = ("blkio cpu cpuacct cpuset devices freezer hugetlb memory "
               "net_cls net_prio perf_event pids systemd").split()


def fail(message):
    """Ends the run: figures of something else than was meant are worse than none."""
    sys.exit(f"bench: {message}")


def compile_c(output, source, *flags):
    """Compiles one file with the compiler the project is built with."""
    command = [*shlex.split(os.environ.get("CC", "gcc")), "-std=gnu17", "-O2", "-D_GNU_SOURCE",
               "-o", str(output), str(source), "-pthread", *flags]
    if subprocess.run(command, check=False).returncode:
        fail(f"cannot compile {source}")


def fuse_flags():
    result = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], text=True,
                            capture_output=True, check=False)
    if result.returncode:
        fail(f"no libfuse to compile hello with: {result.stderr.strip()}")
    return result.stdout.split()


def compile_hello(directory, *ways):
    """The example as it is (hello), with direct_io (hello_direct), and a flush handler too (hello_flush)."""
    if not os.path.exists(HELLO_C):
        fail(f"needs libfuse's hello example, {HELLO_C}: install libfuse3-dev "
             "(with its documentation: see path-exclude in /etc/dpkg/dpkg.cfg.d)")
    direct = [BENCH / "hello_direct.c", f'-DHELLO_C="{HELLO_C}"']
    arguments = {"hello": [HELLO_C], "hello_direct": direct, "hello_flush": [*direct, "-DFLUSH"]}
    for way in ways:
        compile_c(directory / way, *arguments[way], *fuse_flags())


def is_mounted(path):
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        return any(line.split()[4] == str(path) for line in table)


class Mount:
    """A FUSE daemon in the foreground, and the mount it serves."""

    def __init__(self, command, path, witness):
        path.mkdir()
        self.path = path
        self.log = path.with_suffix(".log") # libfuse warns of its own defaults: shown on failure
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([*command, "-f", str(path)], stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while not (is_mounted(path) and (path / witness).exists()):
            if self.process.poll() is not None:
                fail(f"{command[0]} ended with status {self.process.returncode}, "
                     f"no mount at {path}:\n{self.log.read_text(encoding='utf-8')}")
            if time.monotonic() > end:
                self.close()
                fail(f"{command[0]} did not mount at {path} in {PATIENCE} seconds")
            time.sleep(0.02)

    def __truediv__(self, name):
        return self.path / name

    def __str__(self):
        return str(self.path)

    def resident(self):
        """Resident memory in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            line = next(line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def check(self):
        """Fails when what was measured is not there any more."""
        if self.process.poll() is not None or not is_mounted(self.path):
            fail(f"the mount at {self.path} is gone, nothing measured counts:\n"
                 f"{self.log.read_text(encoding='utf-8')}")

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if is_mounted(self.path):
            subprocess.run(["umount", "-l", str(self.path)], check=False)
        self.path.rmdir()


def enable_all(cgroup):
    """Has all children of a cgroup of v2 have all controllers."""
    names = (cgroup / "cgroup.controllers").read_text(encoding="ascii").split()
    (cgroup / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in names), encoding="ascii")


@contextlib.contextmanager
def kernel_children(name):
    """{hierarchy: its own child in the kernel's tree}, empty where there is no cgroup v1."""
    made = {}
    try:
        for hierarchy in ("cpu", "cpuacct", "memory"):
            child = KERNEL / hierarchy / name
            if not (KERNEL / hierarchy / "tasks").exists():
                continue
            with contextlib.suppress(PermissionError):
                child.mkdir()
                made[hierarchy] = child
        yield made
    finally:
        for child in made.values():
            child.rmdir()


@contextlib.contextmanager
def member():
    """A process to put into cgroups; it is gone before these are removed."""
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


class World:
    """All that is measured, up and running."""

    def __init__(self, stack):
        self.directory = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(prefix="fcg-bench-")))
        self.stack = stack
        self.cpus = os.sched_getaffinity(0)
        compile_c(self.directory / "bench_fs", BENCH / "bench_fs.c", "-Wall", "-Wextra")
        compile_hello(self.directory, "hello", "hello_direct", "hello_flush")
        self.hello = self.start_hello("hello")
        self.direct = self.start_hello("hello_direct")
        self.flush = self.start_hello("hello_flush")
        self.ours, self.few, self.many = (self.start_ours(name) for name in ("ours", "few", "many"))
        self.unified, self.few_unified, self.many_unified = (
            self.start_ours(name, "-o", "v2", witness="cgroup.procs") for name in
            ("unified", "few-unified", "many-unified"))
        self.plain = self.start_ours("plain", "-o", "no_io_uring", witness="memory/memory.stat")
        self.kernel = stack.enter_context(kernel_children(f"fcg-bench-{os.getpid()}"))
        self.pid = stack.enter_context(member())
        self.make_children()

    def start(self, command, name, witness):
        mount = Mount(command, self.directory / f"mount-{name}", witness)
        self.stack.callback(mount.close)
        return mount

    def start_hello(self, program):
        return self.start([str(self.directory / program)], program, "hello")

    def start_ours(self, name, *options, witness="memory/memory.stat"):
        if not os.path.exists(BINARY):
            fail(f"there is no {BINARY}: run make first, or set FUSE_CGROUPFS")
        return self.start([BINARY, *options], name, witness)

    def make_children(self):
        """One child of each with the same process in it."""
        for hierarchy in ("cpu", "cpuacct", "memory"):
            children = [mount / hierarchy / "child" for mount in (self.ours, self.plain)]
            for child in children:
                child.mkdir()
            for directory in filter(None, (*children, self.kernel.get(hierarchy))):
                (directory / "cgroup.procs").write_text(str(self.pid), encoding="ascii")
        enable_all(self.unified.path)
        (self.unified / "child").mkdir()
        (self.unified / "child/cgroup.procs").write_text(str(self.pid), encoding="ascii")

    def mounts(self):
        return [self.hello, self.direct, self.flush, self.ours, self.few, self.many,
                self.unified, self.few_unified, self.many_unified, self.plain]

    def place(self, cpus):
        """Lets the daemons, and what we start, run on these processors only; a ring's thread stays on its."""
        os.sched_setaffinity(0, cpus)
        for mount in self.mounts():
            for thread in pathlib.Path(f"/proc/{mount.process.pid}/task").iterdir():
                with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                    if not (thread / "comm").read_text(encoding="utf-8").startswith("fuse-ring"):
                        os.sched_setaffinity(int(thread.name), cpus)

    def measure(self, *series, threads, bound, rounds, milliseconds):
        """{OPERATION:PATH: [ns of each round]} of all of them, in turns; `bound`: on one processor."""
        self.place({max(self.cpus)} if bound else self.cpus)
        command = [str(self.directory / "bench_fs"), "-r", str(rounds), "-m", str(milliseconds),
                   "-j", str(threads), *series]
        result = subprocess.run(command, text=True, capture_output=True, check=False)
        for mount in self.mounts():
            mount.check()
        if result.returncode:
            fail(result.stderr.strip() or f"bench_fs ended with status {result.returncode}")
        lines = [line.split() for line in result.stdout.splitlines()]
        return {name: [float(ns) for ns in values] for name, *values in lines}
