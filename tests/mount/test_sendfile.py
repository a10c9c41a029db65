# SPDX-License-Identifier: MIT
"""-o sendfile: copies inside the kernel see what a read sees."""
import os
import pathlib
import select
import signal
import subprocess

import pytest

from files import pids
from mounting import wait_until

HERE = pathlib.Path(__file__).parent


def sendfile(path):
    """The file's content as sendfile(2) copies it, which is what busybox cat does."""
    reading, writing = os.pipe()
    descriptor = os.open(path, os.O_RDONLY)
    content = b""
    try:
        while os.sendfile(writing, descriptor, None, 4096):
            content += os.read(reading, 4096)
        return content.decode()
    finally:
        for each in (descriptor, reading, writing):
            os.close(each)


def test_lengths_that_change(start):
    file = start("-o", "sendfile").path / "cpu" / "a" / "cpu.shares"
    file.parent.mkdir()
    for value in (5, 1000, 100000, 22, 262144):
        file.write_text(f"{value}\n", encoding="ascii")
        assert sendfile(file) == f"{value}\n"
        assert file.read_text(encoding="ascii") == f"{value}\n"


def test_long_content(start):
    path = start("-o", "sendfile").path / "memory"
    for _ in range(20):
        text = sendfile(path / "memory.stat")
        assert text.count("\n") > 30 and text.endswith("\n")


def test_size_is_the_kernels_without_it(mount):
    assert os.stat(mount / "cpu" / "cpu.shares").st_size == 0


def state(task):
    return (task / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


def stop(pid):
    """All its threads stand when it returns."""
    os.kill(pid, signal.SIGSTOP)
    assert wait_until(lambda: all(state(task) == "T" for task in pathlib.Path(f"/proc/{pid}/task").iterdir()))


def waits_in_call(pid, number):
    task = pathlib.Path(f"/proc/{pid}")
    return (task / "syscall").read_text(encoding="ascii").split()[0] == number and state(task) in "SD"


@pytest.mark.locks
def test_a_writer_stays_until_the_answer(start, tmp_path):
    """Files of a size can be written to by io_submit(2), which does not wait: the writer could end, and its
    number be another's when "0" is looked at."""
    program = tmp_path / "async_write"
    subprocess.run([os.environ.get("CC", "gcc"), "-D_GNU_SOURCE", "-o", program, HERE / "async_write.c"],
                   check=True)
    daemon = start("-o", "sendfile")
    cgroup = daemon / "cpu" / "a"
    cgroup.mkdir()
    with subprocess.Popen([program, cgroup / "cgroup.procs", "0"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, bufsize=0) as writer:
        try:
            number = writer.stdout.readline().decode().strip()
            stop(daemon.pid)
            writer.stdin.write(b"\n")

            def has_asked():
                return select.select([writer.stdout], [], [], 0)[0]

            assert wait_until(lambda: has_asked() or waits_in_call(writer.pid, number))
            assert not has_asked(), "its call came back before the answer"
        finally:
            os.kill(daemon.pid, signal.SIGCONT)
        assert writer.stdout.read() == b"asked\n1\n"
    assert pids(cgroup / "cgroup.procs") == []
