# SPDX-License-Identifier: MIT
"""A member that hangs over a file that never comes: nobody else waits for it."""

import contextlib
import os
import pathlib
import re
import select
import signal
import subprocess
import threading
import time

import pytest

import mounting
from events import Event, register
from mounting import wait_until

pytestmark = [pytest.mark.daemon, pytest.mark.locks]

HERE = pathlib.Path(__file__).parent
MIB = 1 << 20
# A state directory is half of what there is to hang: it need not be there with each of them.
SETTINGS = pytest.mark.parametrize("source, state", (("events", False), ("scan", True)),
                                   ids=("events", "scan-state"))
HOLDS = pytest.mark.parametrize("how", ("map", "exec"))


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The programs, by their names."""
    directory = tmp_path_factory.mktemp("programs")
    fuse = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], text=True,
                          capture_output=True, check=True).stdout.split()
    for name in ("hung_file", "hung_member"):
        subprocess.run([os.environ.get("CC", "gcc"), "-D_GNU_SOURCE", "-pthread", "-o", directory / name,
                        HERE / f"{name}.c", *fuse], check=True)
    return directory


class Hung:
    """A process that is to hang; and the file that lets it go."""

    def __init__(self, programs, how, files, until):
        self.until = until
        self.process = subprocess.Popen([programs / "hung_member", how, files], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid

    def join(self, *cgroups):
        for cgroup in cgroups:
            (cgroup / "cgroup.procs").write_text(str(self.pid))

    def start(self):
        print(file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "ready\n"

    def hang(self):
        """Until it cannot be read any more. The reader that finds out is lost until it is let go."""
        print(file=self.process.stdin, flush=True)
        time.sleep(0.5) # for what it does before
        reader = subprocess.Popen(["cat", f"/proc/{self.pid}/smaps_rollup"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            reader.wait(0.5)
            pytest.fail("it does not hang")
        reader.kill()
        reader.wait()

    def let_go(self):
        self.until.touch()
        assert "free\n" in iter(self.process.stdout.readline, "")

    def end(self):
        self.until.touch()
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def hung(programs, tmp_path):
    """Makes a process that can hang."""
    with contextlib.ExitStack() as stack:
        def make(how):
            path = stack.enter_context(mounting.mount_point())
            until = tmp_path / f"until-{path.name}"
            server = subprocess.Popen([programs / "hung_file", "-f", path],
                                      stderr=subprocess.DEVNULL,
                                      env=os.environ | {"HUNG_UNTIL": str(until)})
            stack.callback(server.communicate)
            stack.callback(server.kill)
            stack.callback(lambda: subprocess.run(["umount", "-l", path], check=False))
            assert wait_until(lambda: mounting.is_serving(path))
            member = Hung(programs, how, path, until)
            stack.callback(member.end)
            return member

        yield make


def in_time(question, *arguments):
    """What a question to the mount is answered, which must come though somebody hangs."""
    answers = []

    def ask():
        try:
            answers.append(question(*arguments))
        except OSError as error:
            answers.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(mounting.PATIENCE)
    assert answers, f"{question.__name__}{arguments} is not answered"
    assert not isinstance(answers[0], OSError), answers[0]
    return answers[0]


def read(path):
    return in_time(pathlib.Path.read_text, path)


def usage(cgroup):
    return int(read(cgroup / "memory.usage_in_bytes"))


@pytest.fixture
def started(start, tmp_path):
    """Starts a daemon with a source, with or without a state directory."""
    def start_daemon(source, state):
        options = f"accounting={source}"
        return start("-o", options + f",state={tmp_path / 'state'}" if state else options)

    return start_daemon


@SETTINGS
@HOLDS
def test_nobody_waits_for_it(started, hung, spawn, source, state, how):
    daemon = started(source, state)
    memory, pids, blkio, freezer = (daemon / name / "v" for name in ("memory", "pids", "blkio", "freezer"))
    for cgroup in (memory, pids, blkio, freezer, daemon / "memory" / "other"):
        cgroup.mkdir()
    member, neighbour = hung(how), spawn()
    member.join(memory, pids, blkio, freezer)
    member.start()
    assert wait_until(lambda: usage(memory) > 8 * MIB)
    known = usage(memory)
    member.hang()
    time.sleep(1.1) # now all that is known is too old
    for _ in range(3):
        assert abs(usage(memory) - known) < 2 * MIB, "not the last known value"
        assert re.search("^rss [1-9]", read(memory / "memory.stat"), re.M)
        assert read(memory.parent / "memory.stat")
        assert read(blkio / "blkio.throttle.io_service_bytes")
        assert read(daemon / "cpuacct" / "cpuacct.usage")
        assert read(memory / "cgroup.procs") == f"{member.pid}\n"
    assert int(read(pids / "pids.current")) > 0
    assert read(daemon / "cpu" / "cpu.shares") == "1024\n"
    event = Event()
    assert in_time(register, memory, event, "memory.usage_in_bytes", "1G") is not None
    event.close()
    in_time((memory.parent / "other" / "cgroup.procs").write_text, str(neighbour))
    assert read(memory.parent / "other" / "cgroup.procs") == f"{neighbour}\n"
    in_time((memory.parent / "other" / "cgroup.procs").write_text, str(member.pid))
    in_time((memory / "cgroup.procs").write_text, str(member.pid))
    in_time((freezer / "freezer.state").write_text, "FROZEN")
    assert read(freezer / "freezer.state") == "FREEZING\n"
    in_time((freezer / "freezer.state").write_text, "THAWED")
    member.let_go()
    assert wait_until(lambda: usage(memory) > 15 * MIB), "is not read again"


@pytest.mark.native
@SETTINGS
@HOLDS
def test_the_daemon_ends(started, hung, source, state, how):
    """And unmounts, though one of its threads hangs for good."""
    daemon = started(source, state)
    cgroups = [daemon / name / "v" for name in ("memory", "blkio")]
    for cgroup in cgroups:
        cgroup.mkdir()
    member = hung(how)
    member.join(*cgroups)
    member.start()
    assert wait_until(lambda: usage(cgroups[0]) > 8 * MIB)
    member.hang()
    assert wait_until(lambda: usage(cgroups[0]) > 0 and lost_threads(daemon))
    assert daemon.stop(signal.SIGTERM) == (0, "")
    assert not mounting.mounts_on(daemon.path)


def eventfds(daemon):
    found = 0
    for fd in pathlib.Path("/proc", str(daemon.pid), "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += os.readlink(fd) == "anon_inode:[eventfd]"
    return found


def test_the_daemon_ends_beside_an_epoll_that_hangs(start, hung):
    """It looks for who has an eventfd among all that is open, and an epoll's fdinfo cannot be read."""
    daemon = start()
    memory = daemon / "memory" / "v"
    memory.mkdir()
    member, event = hung("epoll"), Event()
    member.start()
    before = eventfds(daemon)
    assert register(memory, event, "memory.usage_in_bytes", "1G") is not None
    assert eventfds(daemon) == before + 1
    print(file=member.process.stdin, flush=True)
    time.sleep(0.3)
    event.close()
    assert wait_until(lambda: eventfds(daemon) == before)
    assert daemon.stop(signal.SIGTERM) == (0, "")


def lost_threads(daemon):
    """Those that sleep over a lock of another process."""
    tasks = pathlib.Path("/proc", str(daemon.pid), "task").iterdir()
    return sum((task / "stat").read_text().rpartition(")")[2].split()[0] == "D" for task in tasks)


def test_one_that_hangs_costs_one_thread(start, hung, tmp_path):
    """And a line in the log, and one when it goes on."""
    log = tmp_path / "log"
    daemon = start("-o", f"log={log}")
    memory = daemon / "memory" / "v"
    memory.mkdir()
    member = hung("map")
    member.join(memory)
    member.start()
    member.hang()
    for _ in range(20):
        usage(memory)
        in_time((memory / "cgroup.procs").write_text, str(member.pid))
        time.sleep(0.06)
    by_events = "accounting: events from" in log.read_text()
    assert 1 <= lost_threads(daemon) <= (1 if by_events else 2)  # one for a scan's question, too
    assert re.search(rf"accounting: process {member.pid} does not let its files be read: what is known of it "
                     r"stays \(such processes now: \d+, losses since the start: \d+\)", log.read_text())
    member.let_go()
    assert wait_until(lambda: not lost_threads(daemon))
    assert wait_until(lambda: re.search(r"accounting: all processes let their files be read again \(losses "
                                        r"since the start: \d+\)", log.read_text()))


def test_one_that_hangs_is_estimated_at_first(start, hung):
    """It was never read: nothing is known of it but what no lock keeps."""
    daemon = start()
    memory = daemon / "memory" / "v"
    memory.mkdir()
    member = hung("map")
    member.start()
    member.hang()
    in_time((memory / "cgroup.procs").write_text, str(member.pid))
    assert usage(memory) >= 0
    member.let_go()
    assert wait_until(lambda: usage(memory) > 15 * MIB)


def test_news_of_a_freeze_that_comes_late(start, hung):
    """Who polls cgroup.events is told though nobody looks when the last member stands at last."""
    cgroup = start("-o", "v2") / "a"
    cgroup.mkdir()
    member = hung("map")
    member.join(cgroup)
    member.start()
    member.hang()
    with open(cgroup / "cgroup.events", "rb", buffering=0) as events:
        poll = select.poll()
        poll.register(events, select.POLLPRI)
        (cgroup / "cgroup.freeze").write_text("1")
        assert b"frozen 0" in os.pread(events.fileno(), 100, 0)
        member.until.touch()
        while poll.poll(1000 * mounting.PATIENCE):
            if b"frozen 1" in os.pread(events.fileno(), 100, 0):
                break
        else:
            pytest.fail("nobody tells")
    (cgroup / "cgroup.freeze").write_text("0")
