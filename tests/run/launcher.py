# SPDX-License-Identifier: MIT
"""Run commands under fuse_cgroup_run, and ask a program there what it sees."""

import contextlib
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "mount"))

import mounting  # noqa: E402
import places  # noqa: E402

HERE = places.public(TESTS) / "run"
os.environ["FUSE_CGROUP_TESTS"] = str(HERE)  # for helpers that are run as programs, by any user
RUN = str(places.public(os.environ.get("FUSE_CGROUP_RUN", mounting.ROOT / "build" / "fuse_cgroup_run")))
os.environ["FUSE_CGROUP_RUN"] = RUN  # for whom we start
PYTHON = "/usr/bin/python3"
TELL_SIGNALS = (PYTHON, HERE / "tell_signals.py")
PATIENCE = mounting.PATIENCE
AT = "/sys/fs/cgroup"
HIERARCHIES = mounting.HIERARCHIES
BACKEND = os.environ.get("FUSE_CGROUP_RUN_BACKEND")  # how calls are caught; None: as it chooses itself
BACKEND_OPTION = [f"--backend={BACKEND}"] if BACKEND else []
STOPPED = "tT"  # of a task in /proc: one that is traced has the small letter
OURS = 125  # the exit status when it failed itself

# A private mount namespace without the machine's cgroups; an ordinary user can have none.
WITHOUT_CGROUPS = () if os.geteuid() else ("unshare", "-m", "--propagation", "private", "sh", "-c",
                   f'while mountpoint -q {AT}; do umount -R {AT} || exit 99; done; exec "$@"', "sh")
WITH_CGROUPS = ()


def why_not():
    """None where the tests can run, or the reason why they cannot."""
    if not os.path.exists(RUN):
        return f"needs {RUN}: run make first, or set FUSE_CGROUP_RUN"
    return mounting.why_no_mount() or mounting.why_no_namespace()


@contextlib.contextmanager
def temporary():
    """An own TMPDIR, in which the launcher must leave nothing."""
    path = places.make_directory("fcg-run-")
    path.chmod(0o1777)
    try:
        yield path
        gone = mounting.wait_until(lambda: not os.listdir(path))
        assert gone, f"left behind: {os.listdir(path)}"
    finally:
        for pid in daemons_in(path):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        shutil.rmtree(path, ignore_errors=True)


def daemons_in(directory):
    """Process ids of the daemons whose mount point is somewhere in this directory."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            command = pathlib.Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
            if b"fuse_cgroupfs" in command[0] and \
                    any(part.startswith(os.fsencode(directory) + b"/") for part in command):
                found.append(int(pid))
    return found


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def supervisor_of(launcher_pid):
    """Its child that is the launcher's program still."""
    return next(pid for pid in children(launcher_pid)
                if os.readlink(f"/proc/{pid}/exe") == os.path.realpath(RUN))


def environment(directory, **more):
    return {**os.environ, "TMPDIR": str(directory), "PYTHONDONTWRITEBYTECODE": "1", **more}


def command_line(*command, options=(), wrapper=WITHOUT_CGROUPS):
    return [*wrapper, RUN, *BACKEND_OPTION, *map(str, options), "--", *map(str, command)]


def launch(*command, options=(), wrapper=WITHOUT_CGROUPS, **more):
    """Runs a command under the launcher to its end."""
    with temporary() as directory:
        more.setdefault("env", environment(directory))
        return subprocess.run(command_line(*command, options=options, wrapper=wrapper), text=True,
                              capture_output=True, timeout=PATIENCE, check=False, **more)


def shell(script, *arguments, **more):
    """What a shell script prints under the launcher; it must succeed and nothing be said."""
    result = launch("sh", "-ec", script, "sh", *arguments, **more)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def complaint(result, status=OURS):
    """The one line of a failed start."""
    assert result.returncode == status, result
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("fuse_cgroup_run: ")
    return lines[0]


class Inside:
    """A Python program under the launcher that calls functions for the test."""

    def __init__(self, *options, wrapper=WITHOUT_CGROUPS, python=(PYTHON,), **more):
        self.stack = contextlib.ExitStack()
        self.directory = self.stack.enter_context(temporary())
        self.errors = self.stack.enter_context(tempfile.TemporaryFile("w+"))
        command = command_line(*python, HERE / "remote.py", options=options, wrapper=wrapper)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, env=environment(self.directory), **more)

    def call(self, function, *arguments):
        """What the function (of a module that can be imported there) returns or raises."""
        pickle.dump((function, arguments), self.process.stdin)
        self.process.stdin.flush()
        try:
            result, error = pickle.load(self.process.stdout)
        except EOFError:
            raise AssertionError(f"it has ended: {self.said()}") from None
        if error is not None:
            raise error
        return result

    def said(self):
        """What was written to standard error."""
        self.errors.seek(0)
        return self.errors.read()

    @property
    def pid(self):
        """The launcher's process id."""
        return self.process.pid

    def close(self, status=0, said=""):
        """Ends the program; the launcher must end as it does and have said only this."""
        with self.stack:
            self.process.stdin.close()
            self.process.wait(PATIENCE)
            self.process.stdout.close()
            assert (self.process.returncode, self.said()) == (status, said)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.errors.closed:
            return
        if kind:
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                self.close()
            self.process.kill()
        else:
            self.close()
