# SPDX-License-Identifier: MIT
"""Start, find and end the daemon under test."""

import contextlib
import functools
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

import pytest

import places
import watchdog

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = str(places.public(os.environ.get("FUSE_CGROUPFS", ROOT / "build" / "fuse_cgroupfs")))
os.environ["FUSE_CGROUPFS"] = BINARY  # for whom we start


def is_sanitized(program):
    """Whether it was built with a sanitizer."""
    return os.path.exists(program) and any(
        word in pathlib.Path(program).read_bytes() for word in (b"__asan_init", b"__tsan_init"))


SANITIZED = is_sanitized(BINARY)  # then it is several times slower and keeps freed memory
HIERARCHIES = ("blkio cpu cpuacct cpuset devices freezer hugetlb memory "
               "net_cls net_prio perf_event pids systemd").split()


def in_gvisor():
    """gVisor's uname is a constant of its source (pkg/sentry/kernel/version)."""
    uname = os.uname()
    return uname.version == "#1 SMP Sun Jan 10 15:06:54 PST 2016" or \
        uname.release.endswith("-gvisor")


SLOW = SANITIZED or in_gvisor()
PATIENCE = 60 if SLOW else 20  # seconds until something counts as hung
TEST_SECONDS = 300 if SLOW else 120  # a whole test; HAMMER_SECONDS come on top


def has_taskstats():
    """The kernel tells of exits in the numbers of the first pid namespace (include/linux/proc_ns.h), and
    to it."""
    return os.stat("/proc/self/ns/pid").st_ino == 0xEFFFFFFC


def why_no_namespace():
    """None where a mount namespace can be made private, or the reason why not."""
    if mounts_on("/"):
        return None
    return "/ is no mount point here (a plain chroot): its mounts cannot be made private (mount(2): EINVAL)"


def why_no_mount():
    """None where the tests can mount, or the reason why they cannot."""
    if not os.path.exists("/dev/fuse"):
        return "needs /dev/fuse (modprobe fuse, or give it to the container)"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "needs a /dev/fuse that this user may open"
    if os.geteuid() and not shutil.which("fusermount3"):
        return "needs fusermount3, with which an ordinary user mounts"
    return None


def newest():
    """The number that a new process gets: each scan takes one, to know what there is."""
    pid = os.fork()
    if not pid:
        os._exit(0)  # pylint: disable=protected-access
    os.waitpid(pid, 0)
    return pid


def wait_until(condition, seconds=None):
    """True as soon as condition() is; False when it is not within `seconds`, or PATIENCE."""
    end = time.monotonic() + (PATIENCE if seconds is None else seconds)
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def mounts_on(path):
    """How many mounts there are on exactly this path."""
    escaped = str(path).replace("\\", "\\134").replace(" ", "\\040")
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        return sum(line.split()[4] == escaped for line in table)


def is_serving(path):
    try:
        return mounts_on(path) and os.listdir(path)
    except OSError:  # a killed daemon's mount, not taken away yet
        return False


def daemons_of(path):
    """Process ids of the daemons that were started with this mount point."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            command = pathlib.Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
            # A daemon that has ended and waits for its parent has no command line.
            if os.fsencode(str(path)) in command and b"fuse_cgroupfs" in command[0]:
                found.append(int(pid))
    return found


def kill_daemons_of(path):
    for pid in daemons_of(path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def unmount(path, lazy=False):
    command = ["fusermount3", "-u", *["-z"] * lazy] if os.geteuid() else ["umount", *["-l"] * lazy]
    subprocess.run([*command, path], check=True)


mount_points = set()  # those in use


@functools.cache
def outside():
    return watchdog.Watchdog()


@contextlib.contextmanager
def time_limit(seconds):
    """Ends a test that hangs: calls to a daemon by killing it, all else by an exception."""
    def end():
        for path in list(mount_points):
            kill_daemons_of(path)
        os.kill(os.getpid(), signal.SIGALRM)

    def give_up(*_):
        raise TimeoutError(f"not finished within {seconds:.0f} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    timer = threading.Timer(seconds, end)
    timer.start()
    outside().limit(seconds)
    try:
        yield
    finally:
        outside().limit(0)
        timer.cancel()
        timer.join()
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def mount_point():
    """A directory that every user may enter; whatever is mounted there at the end goes."""
    path = places.make_directory("fcg-mount-")
    mount_points.add(path)
    try:
        yield path
    finally:
        mount_points.discard(path)
        kill_daemons_of(path)
        while mounts_on(path):
            unmount(path, lazy=True)
        shutil.rmtree(path)


def run(*arguments, wrapper=(), **options):
    """Runs the daemon to its end, or into the background."""
    return subprocess.run([*wrapper, BINARY, *map(str, arguments)], text=True,
                          capture_output=True, timeout=PATIENCE, check=False, **options)


class Daemon:
    """A daemon in the foreground, and the mount it serves."""

    def __init__(self, path, *options, wrapper=(), stdin=None, **environment):
        self.path = path
        self.options = options
        self.log = None  # all lines that it has printed, once it has ended
        self.process = subprocess.Popen([*wrapper, BINARY, "-f", *options, str(path)], text=True, stdin=stdin,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        start_new_session=True, env=os.environ | environment)
        came_up = wait_until(lambda: self.process.poll() is not None or is_serving(path))
        if not came_up:
            self.process.kill()
        assert came_up and self.process.poll() is None, f"did not come up: {self.process.communicate()}"

    def __truediv__(self, name):
        return self.path / name

    @property
    def pid(self):
        return self.process.pid

    def resident(self):
        """Resident memory in bytes."""
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as status:
            line = next(line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def wait(self):
        """The exit status, and what it has printed but for its choice of a source."""
        out, err = self.process.communicate(timeout=PATIENCE)
        self.log = (out + err).splitlines(keepends=True)
        unexpected = [line for line in self.log if not line.startswith(
            ("fuse_cgroupfs: accounting: ", "fuse_cgroupfs: native: ", "fuse_cgroupfs: requests: by "))]
        return self.process.returncode, "".join(unexpected)

    def settle(self):
        """Has all released that was closed: close(2) only queues that, this request comes after."""
        with contextlib.suppress(OSError):  # it has died: who waits for it will see how
            os.statvfs(self.path)

    def stop(self, number=signal.SIGTERM):
        self.settle()  # what libfuse has of an open directory would be a leak
        self.process.send_signal(number)
        return self.wait()


class Kernel:
    """The kernel's own cgroups in place of a mount: a child of each hierarchy that it has."""

    def __init__(self, path):
        self.path = path
        self.cgroups = {}
        for name in HIERARCHIES:
            root = pathlib.Path("/sys/fs/cgroup", name)
            if os.path.ismount(root):
                self.cgroups[name] = root / f"fcg-test-{os.getpid()}-{path.name}"
                self.make(root, self.cgroups[name])

    def make(self, root, cgroup):
        cgroup.mkdir()
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (cgroup / file).exists():
                (cgroup / file).write_text((root / file).read_text())
        (self.path / root.name).symlink_to(cgroup)

    def __truediv__(self, name):
        if str(name) not in self.cgroups:
            pytest.skip(f"the kernel has no {name} hierarchy mounted")
        return self.cgroups[str(name)]

    def leave(self):
        for name, cgroup in self.cgroups.items():
            (self.path / name).unlink()
            for directory, _, _ in os.walk(cgroup, topdown=False):
                assert wait_until(lambda: remove(directory)), directory


def remove(directory):
    """True when it is gone; a process that was killed a moment ago may still keep it busy."""
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True
