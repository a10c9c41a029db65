# SPDX-License-Identifier: MIT
"""The trees that the clients are tried on, each with a shell in it that runs them.

kernel   the kernel's own cgroup v1, freshly mounted: says what must be seen
away     ours, by the launcher, where the kernel's cgroups have been taken away
beside   ours, by the launcher, where they are left
led      ours, mounted elsewhere, with paths led there (--redirect), where they have been taken away
v2       ours, as away, but cgroup v2
v2-led   ours, as led, but cgroup v2
"""

import contextlib
import ctypes
import os
import pathlib
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAUNCHER = pathlib.Path(os.environ.get("FUSE_CGROUP_RUN", ROOT / "build" / "fuse_cgroup_run"))
HIERARCHIES = ("blkio cpu cpuacct cpuset devices freezer hugetlb memory net_cls net_prio "
               "perf_event pids systemd").split()
NAMES = ("kernel", "away", "beside", "led", "v2", "v2-led")
STANDARD = "/sys/fs/cgroup"
SECONDS = float(os.environ.get("CLIENT_SECONDS", "120"))  # more than a busy machine needs
PR_SET_CHILD_SUBREAPER = 36

TAKE_AWAY = f"umount -R {STANDARD} 2>/dev/null || :"
# A namespace's name that is mounted has no path in the mount table, and Go 1.25 gives up there.
NO_NAMESPACES = "findmnt -rn -t nsfs -o TARGET | xargs -r umount"


def mount_kernel(directory):
    return f"mount -t tmpfs -o mode=755 tmpfs {directory}" + "".join(
        f"; mkdir {directory}/{name}; mount -t cgroup -o "
        f"{'none,name=systemd' if name == 'systemd' else name} cgroup {directory}/{name}"
        for name in HIERARCHIES)


KERNEL = f"set -e; {TAKE_AWAY}; {mount_kernel(STANDARD)}"
# What an option of the launcher sets in a cgroup, for the kernel's reference.
LIMIT_FILES = {
    "--memory": [("memory", "memory.limit_in_bytes", str)],
    "--memory-swap": [("memory", "memory.memsw.limit_in_bytes", str)],
    "--cpus": [("cpu", "cpu.cfs_quota_us", lambda number: int(float(number) * 100000))],
    "--cpu-shares": [("cpu", "cpu.shares", str)],
    "--cpuset-cpus": [("cpuset", "cpuset.mems", lambda _: 0), ("cpuset", "cpuset.cpus", str)],
    "--pids-limit": [("pids", "pids.max", str)],
}


def private(script, *command):
    """The command after the script, in a mount namespace of its own."""
    return ["unshare", "-m", "--propagation", "private",
            "sh", "-c", f"{NO_NAMESPACES}; {script}" + '; exec "$@"', "sh", *command]


def limited(unique, options):
    """The kernel's tree as a container of these limits sees it, as a script."""
    script = KERNEL
    for option, value in zip(options[::2], options[1::2]):
        for hierarchy, file, text in LIMIT_FILES[option]:
            directory = f"{STANDARD}/{hierarchy}/{unique}"
            script += f"; mkdir -p {directory}; echo {text(value)} > {directory}/{file}"
    # From in there only hierarchies can be mounted that are mounted already.
    inner = f"""set -e; {mount_kernel('/mnt')}
        umount -R {STANDARD}; mount --move /mnt {STANDARD}; exec sh"""
    return script + f"""; for d in {STANDARD}/*/{unique}; do echo $$ > $d/cgroup.procs; done
        exec unshare -C -m --propagation private sh -c {shlex.quote(inner)}"""


def kernel_has_v1():
    return subprocess.run(private(KERNEL, "true"),
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def why_not():
    """Why no client can be tried here, or None."""
    if os.geteuid() != 0:
        return "the clients make containers: run the tests as root"
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse: modprobe fuse, or give it to the container"
    return None


def become_reaper():
    """Makes orphans our children, so that none is lost sight of."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def descendants():
    """Living processes below this one, as {pid: command line}."""
    parents, lines = {}, {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                lines[int(entry.name)] = ((entry / "cmdline").read_bytes()
                                          .replace(b"\0", b" ").decode(errors="replace"))
                parents[int(entry.name)] = int(parent)
    found = {}
    for pid in parents:
        above = pid
        while above in parents and above != os.getpid():
            above = parents[above]
        if above == os.getpid() and pid != above:
            found[pid] = lines[pid]
    return found


def reap():
    """Takes the status of orphans that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def until(condition, what, seconds=SECONDS):
    """Polls until the condition holds, and returns what it gave."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Result:
    """What a command left: status, out, err."""

    def __init__(self, argv, status, out, err):
        self.argv, self.status, self.out, self.err = argv, status, out, err

    def __str__(self):
        return f"{shlex.join(self.argv)}\nstatus {self.status}\n{self.out}{self.err}"


class Tree:
    """A tree at /sys/fs/cgroup and a shell that runs commands where it is seen."""

    count = 0
    version = 1
    kind = "cgroup"  # of the filesystem

    def __init__(self, name, *options):
        self.name = name
        Tree.count += 1
        self.unique = f"fcg-client-{os.getpid()}-{Tree.count}"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="fcg-client."))
        self.log = self.directory / "shell.log"
        launcher = [str(LAUNCHER), f"--v{self.version}", *options, "--", "sh"]
        away = private(TAKE_AWAY, *launcher)
        led = private(TAKE_AWAY, launcher[0], "--redirect", *launcher[1:])
        command = {"kernel": lambda: private(limited(self.unique, options) if options
                                             else KERNEL, "sh"),
                   "beside": lambda: private(":", *launcher),
                   "away": lambda: away, "v2": lambda: away,
                   "led": lambda: led, "v2-led": lambda: led}[name]()
        with open(self.log, "wb") as log:
            # tini reaps orphans, as init would; a terminal's Ctrl-C is for us, who then clean up
            self.shell = subprocess.Popen(["tini", "-s", "--", *command], stderr=log, bufsize=0,
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                          start_new_session=True,
                                          env={**os.environ, "TMPDIR": str(self.directory)})
        try:
            self.pid = int(self._say("echo $$", SECONDS))
        except AssertionError:
            self.shell.kill()
            self.clean()
            raise
        place = next(self.directory.glob("fuse_cgroup_run-*/mount")) if "led" in name else STANDARD
        self.root = pathlib.Path(f"/proc/{self.pid}/root{place}")

    def _say(self, line, seconds):
        """One line to the shell, and the line it answers."""
        self.shell.stdin.write(line.encode() + b"\n")
        answer = b""
        end = time.monotonic() + seconds
        while not answer.endswith(b"\n"):
            if not select.select([self.shell.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no answer within {seconds} s: {line}")
            data = os.read(self.shell.stdout.fileno(), 4096)
            if not data:
                raise AssertionError(f"the shell ended: {line}\n{self.log.read_text()}")
            answer += data
        return answer.decode().strip()

    def run(self, *argv, status=0, seconds=SECONDS, stdin="/dev/null"):
        """Runs a command to its end; its status must be as told, if it is told."""
        argv = [str(word) for word in argv]
        out, err = self.directory / "out", self.directory / "err"
        line = f"{shlex.join(argv)} <{shlex.quote(str(stdin))} >{out} 2>{err}; echo $?"
        got = int(self._say(line, seconds))
        result = Result(argv, got, out.read_text(errors="replace"), err.read_text(errors="replace"))
        assert status is None or got == status, str(result)
        return result

    def out(self, *argv, **options):
        """What a command that succeeds prints."""
        return self.run(*argv, **options).out

    def start(self, *argv, log):
        """Starts a command in the background; returns its pid."""
        argv = [str(word) for word in argv]
        line = f"{shlex.join(argv)} </dev/null >{shlex.quote(str(log))} 2>&1 & echo $!"
        return int(self._say(line, SECONDS))

    def stop(self, pid, number=signal.SIGTERM):
        """Ends what was started; returns its status."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return int(self._say(f"wait {pid}; echo $?", SECONDS))

    def file(self, hierarchy, file):
        """The root's file as a command names it that sees the tree."""
        return f"{STANDARD}/{hierarchy}/{file}"

    def runtime(self, name):
        """What starts this runtime."""
        return name

    def shares(self, number):
        """What the runtimes make of so many shares of the processor."""
        return str(number)

    def path(self, hierarchy, cgroup=""):
        return self.root / hierarchy / str(cgroup).lstrip("/")

    def read(self, hierarchy, cgroup, file):
        return (self.path(hierarchy, cgroup) / file).read_text().strip()

    def processes(self, hierarchy, cgroup):
        return {int(pid) for pid in self.read(hierarchy, cgroup, "cgroup.procs").split()}

    def membership(self, pid):
        """Where a process is by /proc, as {hierarchy: path}, read where the tree is seen."""
        return self.memberships(self.out("cat", f"/proc/{pid}/cgroup"))

    def memberships(self, text):
        """The same of a file's text."""
        paths = {}
        for line in text.splitlines():
            _, controllers, path = line.split(":", 2)
            paths[controllers.removeprefix("name=")] = path
        return {name: paths[name] for name in HIERARCHIES if name in paths}

    def holding(self, name):
        """Hierarchies with a cgroup of that path."""
        return [hierarchy for hierarchy in HIERARCHIES if self.path(hierarchy, name).is_dir()]

    def make_cgroup(self, name, hierarchies):
        """Makes it, and those above it, in these hierarchies."""
        for hierarchy in hierarchies:
            self.path(hierarchy, name).mkdir(parents=True)

    def enter(self, pid, name, hierarchies):
        for hierarchy in hierarchies:
            (self.path(hierarchy, name) / "cgroup.procs").write_text(str(pid))

    def remove_cgroup(self, name):
        """Removes it, and what was made above it."""
        for hierarchy in self.holding(name):
            for part in (name, *map(str, list(pathlib.PurePath(name).parents)[:-1])):
                self.path(hierarchy, part).rmdir()

    def _cgroups(self, hierarchy):
        """Directories that this tree's test made there, children first."""
        for path, _, _ in os.walk(self.path(hierarchy, self.unique), topdown=False):
            yield pathlib.Path(path)

    def _thaw(self):
        for path in self._cgroups("freezer"):
            with contextlib.suppress(OSError):
                (path / "freezer.state").write_text("THAWED")

    def _remove_cgroups(self):
        # Others' cgroups may go meanwhile.
        subprocess.run(private(KERNEL, "find", STANDARD, "-ignore_readdir_race", "-depth", "-type", "d",
                               "-path", f"{STANDARD}/*/{self.unique}*", "-exec", "rmdir", "{}", ";"),
                       check=True)

    def leave(self):
        """Ends the shell."""
        if self.shell.poll() is None:
            self._thaw()
            self.shell.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.shell.wait(SECONDS)

    def clean(self):
        """Removes what is left, when no process is."""
        self.shell.wait()
        self.shell.stdout.close()
        if self.name == "kernel":
            self._remove_cgroups()
        shutil.rmtree(self.directory, ignore_errors=True)


def end_rest():
    """Kills what is still there after a while; the launcher and its daemon get time to end.
    Returns what had to be killed."""
    start = time.monotonic()
    killed = {}
    while True:
        reap()
        left = descendants()
        if not left:
            return killed
        waited = time.monotonic() - start
        if waited > SECONDS:
            raise AssertionError(f"cannot be killed: {left}")
        for pid, line in left.items():
            if waited > (20 if "fuse_cgroup" in line or "tini" in line else 10):
                killed[pid] = line
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
