# SPDX-License-Identifier: MIT
"""Processes to put into cgroups, and work done as another user."""

import contextlib
import errno
import os
import pickle
import signal
import subprocess
import time

NOBODY = 65534


class Sleepers:
    """Processes that do nothing until they are ended."""

    def __init__(self):
        self.pids = set()

    def __call__(self):
        pid = os.posix_spawn("/bin/sleep", ["sleep", "1000"], {})
        self.pids.add(pid)
        return pid

    def end(self, pid):
        self.pids.discard(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in list(self.pids):
            self.end(pid)


def take_number(pid, command=("/bin/sleep", "1000"), **more):
    """A process with this number, that another has had; root in the first namespaces can have it."""
    time.sleep(0.05)  # within a tick it would be the other
    for _ in range(100):
        with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as last:
            last.write(str(pid - 1))
        process = subprocess.Popen(command, **more)
        if process.pid == pid:
            return process
        end(process)
    raise TimeoutError(f"number {pid} is not to be had")


def end(process):
    process.kill()
    process.wait()


class Helper:
    """Python code in a process of its own, which answers its commands line by line."""

    def __init__(self, code, *arguments):
        self.process = subprocess.Popen(["/usr/bin/python3", "-uc", code, *arguments], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid

    def ask(self, command=""):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.kill()
        self.process.wait()


# su's way to wait: each stops itself when its child has stopped, and sets that going when it goes on.
CHAIN = """
import os, signal
def wait_for(child):
    while True:
        _, status = os.waitpid(child, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            os._exit(0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.kill(child, signal.SIGCONT)
reader, writer = os.pipe()
parent = os.fork()
if not parent:
    child = os.fork()
    if not child:
        signal.pause()
    os.write(writer, str(child).encode())
    wait_for(child)
print(parent, os.read(reader, 20).decode())
wait_for(parent)
"""


class Chain:
    """Three generations, the oldest first; each of the first two stops itself when its child is stopped."""

    def __init__(self):
        self.process = subprocess.Popen(["/usr/bin/python3", "-uc", CHAIN], text=True,
                                        stdout=subprocess.PIPE)
        self.pids = [self.process.pid, *map(int, self.process.stdout.readline().split())]

    def states(self):
        return "".join(map(state_of, self.pids))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in reversed(self.pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.stdout.close()
        self.process.wait()


def state_of(pid):
    """The letter of /proc/PID/stat, "-" when it has gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(") ")[2][0]
    except OSError:
        return "-"


def in_child(work, uid=0):
    """What work() returns or raises (an OSError) in a forked process of this user."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.close(reader)
            if uid:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            try:
                answer = (work(), None)
            except OSError as error:
                answer = (None, error.errno)
            os.write(writer, pickle.dumps(answer))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    assert data, "the child ended without an answer"
    result, number = pickle.loads(data)
    if number is not None:
        raise OSError(number, os.strerror(number))
    return result


def as_nobody(work):
    return in_child(work, NOBODY)


def error_of(work, *arguments):
    """The name of the errno that work() fails with, or None."""
    try:
        work(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return None
