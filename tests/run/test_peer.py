# SPDX-License-Identifier: MIT
"""A task that is gone, while the supervisor is at work on its call: nobody else is taken for it."""

import contextlib
import os
import signal
import subprocess

import pytest

import launcher
import mounting
import processes

started = {}  # of the program under the launcher: what it runs, by number


def start(*command, **more):
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)
    started[process.pid] = process
    return process.pid


def kill(pid):
    started[pid].kill()
    started[pid].wait()


def take_number(pid, *command):
    process = processes.take_number(pid, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    started[pid] = process
    return process.stdout.readline()


def tell(pid, line="\n"):
    started[pid].stdin.write(line)
    started[pid].stdin.flush()
    return started[pid].stdout.readline()


def end(pid):
    process = started.pop(pid)
    process.communicate(timeout=launcher.PATIENCE)
    return process.returncode


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


@contextlib.contextmanager
def stopping_filesystem(program):
    """A FUSE mount with a link to the tree, and its daemon: stopped once somebody looks at the link."""
    with mounting.mount_point() as path:
        with subprocess.Popen([program, "-f", "-o", "allow_other,attr_timeout=0,entry_timeout=0",
                               path]) as daemon:
            try:
                assert mounting.wait_until(lambda: mounting.mounts_on(path))
                yield path, daemon.pid
            finally:
                os.kill(daemon.pid, signal.SIGCONT)
                subprocess.run(["umount", "-l", path], check=True)
                daemon.terminate()  # a mount namespace that was made meanwhile has a copy of the mount
                daemon.wait(launcher.PATIENCE)


@pytest.fixture
def stopping(programs):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], text=True,
                           capture_output=True, check=True).stdout.split()
    with stopping_filesystem(programs("stopping", *flags)) as (path, daemon):
        yield path, daemon


@pytest.fixture
def page(programs):
    return str(programs("page", "-pthread"))


@pytest.fixture
def traced(stopping):
    """A program under the launcher, which tells of each answer, beside the filesystem."""
    with launcher.Inside("--trace") as program:
        yield program
        program.close(said=program.said())


def begin(program, stopping, *command):
    """Starts the command, whose call waits for the filesystem now."""
    path, daemon = stopping
    pid = program.call(start, *command, f"{path}/link")
    assert mounting.wait_until(lambda: state_of(daemon) == "T")
    return pid


def go_on(program, stopping):
    """The supervisor goes on, to the end of the call."""
    path, daemon = stopping
    os.kill(daemon, signal.SIGCONT)
    assert mounting.wait_until(lambda: f"statfs({path}/link)" in program.said()), program.said()


def test_the_call_is_made(traced, stopping, page):
    """With nobody in the way it is answered."""
    pid = begin(traced, stopping, page, "call")
    go_on(traced, stopping)
    assert traced.call(end, pid) == 0


def test_number_of_another(traced, stopping, page):
    """The caller is killed, and another program has its number."""
    pid = begin(traced, stopping, "setpriv", "--reuid", "65534", "--clear-groups", page, "call")
    traced.call(kill, pid)
    assert traced.call(take_number, pid, page, "look") == "there\n"
    go_on(traced, stopping)
    assert traced.call(tell, pid) == "unchanged\n"
    traced.call(end, pid)


def test_number_kept_by_another_program(traced, stopping, page):
    """Another thread of the caller becomes another program, which keeps the number."""
    pid = begin(traced, stopping, page, "exec")
    assert traced.call(tell, pid) == "there\n"
    go_on(traced, stopping)
    assert traced.call(tell, pid) == "unchanged\n"
    traced.call(end, pid)
