# SPDX-License-Identifier: MIT
"""From start to unmount, and what a killed daemon leaves."""

import contextlib
import os
import pathlib
import select
import signal
import subprocess
import time

import pytest

import mounting
from events import Event, register
from files import read, write
from mounting import Daemon, daemons_of, mounts_on, run, wait_until
from processes import error_of


def gone(directory):
    return not mounts_on(directory) and not daemons_of(directory)


def test_background(directory):
    """The parent ends when the mount can be used, and its streams are let go."""
    result = run(directory)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (directory / "memory" / "memory.stat").is_file()
    daemon, = daemons_of(directory)
    assert os.readlink(f"/proc/{daemon}/cwd") == "/"
    assert os.getsid(daemon) != os.getsid(0)
    os.kill(daemon, signal.SIGTERM)
    assert wait_until(lambda: gone(directory))


@pytest.mark.parametrize("mode", [["-f"], []], ids=["foreground", "background"])
def test_descriptors_are_not_kept(directory, mode):
    """Who reads a pipe that the daemon was started with sees its end, a lock is free."""
    reader, writer = os.pipe()
    with subprocess.Popen([mounting.BINARY, *mode, directory], pass_fds=[writer]) as process:
        os.close(writer)
        assert select.select([reader], [], [], mounting.PATIENCE)[0]
        assert os.read(reader, 1) == b""
        os.close(reader)
        assert wait_until(lambda: mounting.is_serving(directory))
        subprocess.run(["fusermount3", "-u", directory], check=True)
        assert process.wait(mounting.PATIENCE) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_unmounts(directory, number):
    daemon = Daemon(directory)
    assert daemon.stop(number) == (0, "")
    assert mounts_on(directory) == 0
    assert os.listdir(directory) == []


def test_signal_during_the_start(directory):
    """At any moment: nothing stays mounted."""
    for milliseconds in range(0, 60, 3):
        process = subprocess.Popen([mounting.BINARY, "-f", directory], stderr=subprocess.DEVNULL)
        time.sleep(milliseconds / 1000)
        process.terminate()
        assert process.wait(mounting.PATIENCE) in (0, -signal.SIGTERM)
        assert mounts_on(directory) == 0


def test_signal_before_the_loop_waits(directory, tmp_path):
    """It is not forgotten, though libfuse has just looked whether there was one."""
    library = tmp_path / "slow_wait.so"
    source = pathlib.Path(__file__).with_name("slow_wait.c")
    subprocess.run([os.environ.get("CC", "gcc"), "-shared", "-fPIC", "-D_GNU_SOURCE",
                    "-o", library, source], check=True)
    daemon = Daemon(directory, LD_PRELOAD=str(library), ASAN_OPTIONS="verify_asan_link_order=0")
    assert daemon.stop() == (0, "")
    assert mounts_on(directory) == 0


@pytest.mark.native
def test_signal_while_a_request_never_ends(directory, tmp_path):
    """It is left, and the mount goes."""
    library = tmp_path / "never_open.so"
    source = pathlib.Path(__file__).with_name("never_open.c")
    subprocess.run([os.environ.get("CC", "gcc"), "-shared", "-fPIC", "-D_GNU_SOURCE",
                    "-o", library, source], check=True)
    daemon = Daemon(directory, "-o", "no_io_uring", LD_PRELOAD=str(library),
                    ASAN_OPTIONS="verify_asan_link_order=0")
    asker = subprocess.Popen(["cat", daemon / "memory" / "memory.stat"], stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    assert asker.poll() is None, "is answered"
    daemon.process.terminate()
    assert daemon.wait() == (1, "fuse_cgroupfs: a request does not end: it is left\n")
    assert mounts_on(directory) == 0
    assert asker.wait(mounting.PATIENCE) == 1


def close_of_dead(fd):
    """libfuse before 3.11 has close(2) ask the daemon, which has ended."""
    with contextlib.suppress(OSError):
        os.close(fd)


def test_signal_with_open_files(directory):
    """A busy mount goes all the same."""
    daemon = Daemon(directory)
    fd = os.open(daemon / "memory" / "memory.stat", os.O_RDONLY)
    try:
        assert daemon.stop() == (0, "")
        assert mounts_on(directory) == 0
        assert error_of(os.pread, fd, 10, 0) in ("ENOTCONN", "ECONNABORTED")
    finally:
        close_of_dead(fd)


def test_signal_with_an_open_directory(directory):
    """Below a sanitizer too: what libfuse has of it, and cannot free, is not told as a leak of ours."""
    daemon = Daemon(directory)
    listed, opened = (os.open(directory, os.O_RDONLY | os.O_DIRECTORY) for _ in range(2))
    assert os.listdir(listed)
    assert daemon.stop() == (0, "")
    for fd in listed, opened:
        os.close(fd)


@pytest.mark.parametrize("command", [["fusermount3", "-u"], ["fusermount3", "-u", "-z"],
                                     ["umount"], ["umount", "-l"]], ids=" ".join)
def test_unmount_ends_the_daemon(directory, command):
    daemon = Daemon(directory)
    subprocess.run([*command, directory], check=True)
    assert mounts_on(directory) == 0
    assert daemon.wait() == (0, "")


def test_unmount_of_a_name_with_blanks(directory):
    path = directory / "a b\\040"
    path.mkdir()
    daemon = Daemon(path)
    subprocess.run(["umount", path], check=True)
    assert daemon.wait() == (0, "")


def test_unmount_leaves_the_next_one_alone(directory):
    """Who ends because others unmounted it takes nothing away that was mounted there meanwhile."""
    daemon = Daemon(directory)
    subprocess.run(["umount", "-l", directory], check=True)
    following = Daemon(directory)
    assert daemon.wait() == (0, "")
    assert mounts_on(directory) == 1
    assert read(following / "cpu" / "cpu.shares") == "1024\n"
    assert following.stop() == (0, "")
    assert mounts_on(directory) == 0


@pytest.mark.daemon
def test_busy_unmount_is_refused(mount):
    """As anywhere: a reader keeps the mount from an unmount that is not lazy."""
    with open(mount / "cpu" / "cpu.shares", encoding="utf-8"):
        result = subprocess.run(["umount", mount.path], capture_output=True, text=True,
                                check=False)
    assert result.returncode != 0 and "busy" in result.stderr
    assert read(mount / "cpu" / "cpu.shares") == "1024\n"


@pytest.mark.news
def test_files_of_what_covers_it_stay(start, spawn):
    """The daemon writes to its own files, to raise inotify's news, and to nobody's of the same name."""
    daemon = start("-o", "v2")
    (daemon / "a").mkdir()
    members = os.open(daemon / "a" / "cgroup.procs", os.O_WRONLY)
    with open(daemon / "a" / "cgroup.events", "rb", buffering=0) as events:
        poll = select.poll()
        poll.register(events, select.POLLPRI)
        os.pread(events.fileno(), 100, 0)
        subprocess.run(["mount", "-t", "tmpfs", "cover", daemon.path], check=True)
        try:
            (daemon / "a").mkdir()
            (daemon / "a" / "cgroup.events").write_text("theirs")
            for _ in range(2):  # who polls is told before the files are written to
                process = spawn()
                os.write(members, str(process).encode())
                assert poll.poll(1000 * mounting.PATIENCE)
                os.pread(events.fileno(), 100, 0)
                os.kill(process, signal.SIGKILL)
                assert poll.poll(1000 * mounting.PATIENCE)
                os.pread(events.fileno(), 100, 0)
            assert read(daemon / "a" / "cgroup.events") == "theirs"
        finally:
            subprocess.run(["umount", daemon.path], check=True)
            os.close(members)


@pytest.mark.parametrize("mode", [["-f"], []], ids=["foreground", "background"])
def test_killed_daemon_is_recovered(directory, mode):
    killed = Daemon(directory)
    (killed / "cpu" / "before").mkdir()
    killed.process.kill()
    assert killed.wait() == (-signal.SIGKILL, "")
    assert error_of(os.stat, directory / "cpu") in ("ENOTCONN", "ECONNABORTED", "ECANCELED")  # after io_uring
    if mode:
        daemon = Daemon(directory)
    else:
        assert run(directory).returncode == 0
    assert mounts_on(directory) == 1
    assert read(directory / "cpu" / "cpu.shares") == "1024\n"
    assert not (directory / "cpu" / "before").exists()
    if mode:
        assert daemon.stop() == (0, "")
    else:
        os.kill(*daemons_of(directory), signal.SIGTERM)
        assert wait_until(lambda: gone(directory))
    assert mounts_on(directory) == 0


def test_killed_with_open_files_is_recovered(directory):
    """Also while someone has a file open, and sits, in the dead mount."""
    killed = Daemon(directory)
    file = os.open(killed / "cpu" / "cpu.shares", os.O_RDWR)
    inside = os.open(killed / "cpu", os.O_PATH)
    try:
        killed.process.kill()
        killed.wait()
        daemon = Daemon(directory)
        assert error_of(os.pread, file, 10, 0) in ("ENOTCONN", "ECONNABORTED")
        (daemon / "cpu" / "after").mkdir()
        assert daemon.stop() == (0, "")
    finally:
        close_of_dead(file)
        os.close(inside)


def test_start_and_stop_again(directory):
    for _ in range(5):
        daemon = Daemon(directory)
        (daemon / "pids" / "a").mkdir()
        assert daemon.stop() == (0, "")
    assert os.listdir(directory) == []


def test_one_thread(start):
    mount = start("-s")
    (mount / "cpu" / "a").mkdir()
    assert write(mount / "cpu" / "a" / "cpu.shares", "512\n") == 4
    assert read(mount / "cpu" / "a" / "cpu.shares") == "512\n"
    (mount / "cpu" / "a").rmdir()


def register_and_remove(cgroup):
    """An event of a cgroup that goes before anything has happened."""
    cgroup.mkdir()
    event = Event()
    register(cgroup, event, "memory.usage_in_bytes", "4000M")
    cgroup.rmdir()
    event.close()


@pytest.mark.daemon
def test_no_descriptors_are_lost(mount):
    """Neither opens, nor failed writes, nor event registrations leave one in the daemon."""
    def count():
        return len(os.listdir(f"/proc/{mount.pid}/fd"))

    def work():
        for _ in range(20):
            read(mount / "memory" / "memory.stat")
            read(mount / "cpuacct" / "tasks")
            assert error_of(write, mount / "cpu" / "cgroup.procs", "abc") == "EINVAL"
            assert error_of(write, mount / "memory" / "cgroup.event_control",
                            "77 78 1M") == "EBADF"
            register_and_remove(mount / "memory" / "events")

    work()
    before = count()
    work()
    assert wait_until(lambda: count() <= before + 3), "a moment's few are no loss"
