# SPDX-License-Identifier: MIT
"""-o state: what the next daemon goes on with, and what it refuses."""

import contextlib
import os
import random
import re
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time

import pytest

import mounting
from processes import NOBODY, Helper, end, take_number

sys.path.insert(0, str(mounting.ROOT / "tests" / "state"))
import nothing_lost  # noqa: E402

pytestmark = pytest.mark.daemon


@pytest.fixture
def state(tmp_path):
    """The state directory, not there yet."""
    return tmp_path / "state"


def keeping(state):
    return ("-o", f"state={state}")


def killed(daemon):
    """Ends it as nothing else does, and waits until it is gone."""
    daemon.process.kill()
    daemon.process.communicate()


def refused(directory, state):
    """What a start that must fail says, in one line."""
    result = mounting.run("-f", *keeping(state), directory)
    assert result.returncode == 1 and not result.stdout, result
    lines = [line for line in result.stderr.splitlines() if "accounting: " not in line]
    assert len(lines) == 1, lines
    return lines[0]


def test_directory_is_private(start, state):
    start(*keeping(state))
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in state.iterdir()} == \
        {"lock": 0o600, "state": 0o600}


@pytest.mark.parametrize("end", (signal.SIGKILL, signal.SIGTERM), ids=("killed", "upgraded"))
def test_everything_is_there_again(start, state, spawn, end):
    daemon = start(*keeping(state))
    web = daemon / "memory" / "web"
    (web / "inner").mkdir(parents=True)
    (web / "memory.limit_in_bytes").write_text("512M")
    (web / "inner" / "memory.oom_control").write_text("1")
    os.chown(web, 1000, 1001)
    os.chmod(web / "cgroup.procs", 0o664)
    os.utime(web / "inner", ns=(10 ** 18, 2 * 10 ** 18))
    os.setxattr(web, "user.note", b"\0\1")
    pid = spawn()
    (web / "inner" / "cgroup.procs").write_text(str(pid))
    before = tree_of(daemon.path / "memory")
    killed(daemon) if end == signal.SIGKILL else daemon.stop(end)
    daemon = start(*keeping(state))
    assert tree_of(daemon.path / "memory") == before
    assert (web / "inner" / "cgroup.procs").read_text() == f"{pid}\n"


def test_devices_are_there_again(start, state):
    """With what is permitted but for exceptions, which no file shows: a child may not have them either."""
    daemon = start(*keeping(state))
    some, most = daemon / "devices" / "some", daemon / "devices" / "most"
    for cgroup in (some, most / "child"):
        cgroup.mkdir(parents=True)
    (some / "devices.deny").write_text("a")
    for text in ("c 1:3 rm", "b *:* m", "c 5:* w"):
        (some / "devices.allow").write_text(text)
    (most / "devices.deny").write_text("c 5:* w")
    killed(daemon)
    start(*keeping(state))
    assert (some / "devices.list").read_text() == "c 1:3 rm\nb *:* m\nc 5:* w\n"
    assert (most / "devices.list").read_text() == "a *:* rwm\n"
    with pytest.raises(PermissionError):
        (most / "child" / "devices.allow").write_text("c 5:1 w")
    (most / "child" / "devices.allow").write_text("c 5:1 r")


def tree_of(top):
    """Names, attributes, and the text of every file that does not change by itself."""
    found = {}
    for directory, _, files in os.walk(top):
        for name in (".", *files):
            path = os.path.join(directory, name)
            info = os.stat(path)
            found[path] = [info.st_ino, info.st_mode, info.st_uid, info.st_gid, info.st_nlink,
                           info.st_mtime_ns, info.st_atime_ns, info.st_ctime_ns,
                           {name: os.getxattr(path, name) for name in os.listxattr(path)}]
            if name in files and is_steady(directory != str(top), name) and \
                    info.st_mode & 0o444:
                with open(path, encoding="ascii") as file:
                    found[path].append(file.read())
    return found


def is_steady(child, name):
    moving = ("usage", "stat", "tasks", "procs", "io_", "pressure", "failcnt", "time", "sectors",
              "current", "peak", "event_control", "slabinfo")
    return child and not any(word in name for word in moving)


@pytest.mark.parametrize("seed", range(3))
def test_every_value_reads_as_before(start, state, seed):
    """Random writes to every writable file of every hierarchy, refused or not."""
    rng = random.Random(seed)
    daemon = start(*keeping(state))
    cgroups = []
    for hierarchy in mounting.HIERARCHIES:
        for name in ("a", "a/b", "a/b/c", "d"):
            (daemon / hierarchy / name).mkdir()
            cgroups.append(daemon / hierarchy / name)
    texts = ["0", "1", "2", "-1", "100", "1000", "50000", "64M", "max", "0-1", "a", "c 1:3 rwm",
             "b *:* m", "c 5:* r", "FROZEN", "THAWED", "lo 3", "default 7", "20000"]
    texts += [f"{device} {value}" for device in disks()[:2] for value in (0, 77, 500, 1048576)]
    for _ in range(1500):
        cgroup = rng.choice(cgroups)
        files = [name for name in sorted(os.listdir(cgroup))
                 if name not in ("cgroup.procs", "tasks", "cgroup.event_control") and
                 os.path.isfile(cgroup / name) and os.stat(cgroup / name).st_mode & 0o200]
        try:
            (cgroup / rng.choice(files)).write_text(rng.choice(texts))
        except OSError:
            pass
    before = tree_of(daemon.path)
    assert len(before) > 800
    killed(daemon)
    start(*keeping(state))
    assert tree_of(daemon.path) == before


def disks():
    if not os.path.exists("/proc/diskstats"):
        return []
    with open("/proc/diskstats", encoding="ascii") as table:
        return [":".join(line.split()[:2]) for line in table
                if os.path.exists(f"/sys/block/{line.split()[2]}")]


def test_frozen_stays_frozen(start, state, spawn):
    daemon = start(*keeping(state))
    ice = daemon / "freezer" / "ice"
    ice.mkdir()
    pid = spawn()
    (ice / "cgroup.procs").write_text(str(pid))
    (ice / "freezer.state").write_text("FROZEN")
    assert mounting.wait_until(lambda: (ice / "freezer.state").read_text() == "FROZEN\n")
    for end in (signal.SIGKILL, signal.SIGTERM):
        killed(daemon) if end == signal.SIGKILL else daemon.stop(end)
        assert state_of(pid) == "T"
        daemon = start(*keeping(state))
        assert (ice / "freezer.state").read_text() == "FROZEN\n"
        assert state_of(pid) == "T"
    (ice / "freezer.state").write_text("THAWED")
    assert mounting.wait_until(lambda: state_of(pid) == "S")


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(") ", 1)[1][0]


FORKER = """
import os, sys
children = []
for line in sys.stdin:
    if line == "fork\\n":
        children.append(os.posix_spawn("/bin/sleep", ["sleep", "1000"], {}))
        print(children[-1])
    else:
        os.kill(children[0], 9)
        print(os.waitpid(children.pop(0), 0)[0])
"""


def test_a_reused_pid_inherits_nothing(start, state, spawn):
    """The start time in the file is another's: the process is not the one that was a member."""
    daemon = start(*keeping(state))
    box = daemon / "pids" / "box"
    box.mkdir()
    pid, gone = spawn(), spawn()
    (box / "cgroup.procs").write_text(str(pid))
    (box / "cgroup.procs").write_text(str(gone))
    killed(daemon)
    spawn.end(gone)
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        started = int(file.read().rsplit(") ", 1)[1].split()[19])
    change(state / "state", struct.pack("=QQ", pid, started), struct.pack("=QQ", pid, started - 1))
    start(*keeping(state))
    assert (box / "cgroup.procs").read_text() == ""


def test_a_number_of_one_who_was_never_read(start, state):
    """Of a forked process that nobody asked about the file has when that was told."""
    daemon = start(*keeping(state))
    box = daemon / "pids" / "box"
    box.mkdir()
    with Helper(FORKER) as helper:
        (box / "cgroup.procs").write_text(str(helper.pid))
        _, gone, stays = (int(helper.ask("fork")) for _ in range(3))
        helper.ask("end")  # an exit has events read, and so all of them
        time.sleep(0.3)  # until that is in the file
        killed(daemon)
        helper.ask("end")
        stranger = take_number(gone)
        try:
            start(*keeping(state))
            assert (box / "cgroup.procs").read_text() == "".join(
                f"{pid}\n" for pid in sorted([helper.pid, stays]))
        finally:
            end(stranger)
            os.kill(stays, 9)


def hashed(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 % 2 ** 64
    return value


def records(content):
    """The first line, and the content of each record."""
    line, rest = content.split(b"\n", 1)
    found = []
    while rest:
        length = struct.unpack("=Q", rest[:8])[0]
        found.append(rest[24:24 + length])
        rest = rest[24 + length:]
    return line + b"\n", found


def change(file, old, new):
    """Replaces bytes in the records, with hashes that fit again."""
    content, found = records(file.read_bytes())
    assert any(old in record for record in found)
    file.write_bytes(content + b"".join(record_of(record.replace(old, new)) for record in found))


def record_of(content):
    head = struct.pack("=QQ", len(content), hashed(content))
    return head + struct.pack("=Q", hashed(head)) + content


def filled(start, state):
    """A killed daemon's file with some records."""
    daemon = start(*keeping(state))
    for name in ("one", "two", "three"):
        (daemon / "cpu" / name).mkdir()
        (daemon / "cpu" / name / "cpu.shares").write_text("77")
    killed(daemon)
    return state / "state"


def test_attributes_of_a_file_that_is_gone(start, state):
    """As a kernel's without some option has them: they become nobody else's."""
    daemon = start(*keeping(state))
    web = daemon / "cpu" / "web"
    web.mkdir()
    os.setxattr(web / "cpu.shares", "user.note", b"1")
    os.chmod(web / "cpu.shares", 0o600)
    killed(daemon)
    mode = struct.pack("=Q", 0o600)
    change(state / "state", b"cpu.shares" + mode, b"cpu.sharez" + mode)
    daemon = start(*keeping(state))
    assert os.listxattr(web) == os.listxattr(web / "cpu.shares") == []
    assert {stat.S_IMODE(os.stat(web / name).st_mode) for name in (".", "cpu.shares")} == {0o755, 0o644}


def test_torn_tail_is_dropped(start, state):
    file = filled(start, state)
    content = file.read_bytes()
    last = 24 + len(records(content)[1][-1])
    for cut in (1, last - 30, last - 1):
        file.write_bytes(content[:-cut])
        daemon = start(*keeping(state))
        assert sorted(path.name for path in (daemon / "cpu").iterdir() if path.is_dir()) == \
            ["one", "three", "two"]
        assert (daemon / "cpu" / "two" / "cpu.shares").read_text() == "77\n"
        killed(daemon)
    start(*keeping(state))


def test_zeros_at_the_end_are_dropped(start, state):
    """What a machine that lost its power may leave of a last write."""
    file = filled(start, state)
    for zeros in (1, 24, 100):
        with open(file, "ab") as end:
            end.write(bytes(zeros))
        daemon = start(*keeping(state))
        assert (daemon / "cpu" / "two" / "cpu.shares").read_text() == "77\n"
        killed(daemon)
    start(*keeping(state))


def test_order_of_siblings(start, state):
    """A rename puts a cgroup behind the others, and nothing else does."""
    daemon = start(*keeping(state))
    for name in "abcd":
        (daemon / "cpu" / name).mkdir()
    (daemon / "cpu" / "b").rename(daemon / "cpu" / "e")
    os.chmod(daemon / "cpu" / "c", 0o700)
    before = os.listdir(daemon / "cpu")
    killed(daemon)
    daemon = start(*keeping(state))
    assert os.listdir(daemon / "cpu") == before


def damaged(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:]


@pytest.mark.parametrize("spoil, why", (
    (damaged, "it is damaged"),
    (lambda content: re.sub(rb"state \d+\n", b"state 999\n", content, count=1), "another version"),
    (lambda content: b"PK\3\4" + content, "not a state file"),
    (lambda content: b"", "it is empty"),
), ids=("damaged", "version", "foreign", "empty"))
def test_refused_and_kept_aside(start, directory, state, spoil, why):
    file = filled(start, state)
    spoilt = spoil(file.read_bytes())
    file.write_bytes(spoilt)
    line = refused(directory, state)
    assert why in line and str(file) in line
    kept = re.search(r"kept as (\S+),", line).group(1)
    assert re.fullmatch(rf"{re.escape(str(file))}\.refused-\d{{8}}T\d{{6}}Z", kept)
    with open(kept, "rb") as other:
        assert other.read() == spoilt
    daemon = start(*keeping(state))
    assert not (daemon / "cpu" / "one").exists()


@pytest.mark.parametrize("make", (os.mkdir, os.mkfifo, lambda path: os.symlink("/etc/passwd", path)),
                         ids=("directory", "fifo", "symlink"))
def test_what_is_no_file_is_refused(start, directory, state, make):
    state.mkdir()
    make(state / "state")
    line = refused(directory, state)
    assert "not a file" in line and str(state / "state") in line
    kept = re.search(r"kept as (\S+),", line).group(1)
    assert os.lstat(kept)
    start(*keeping(state))


@pytest.mark.parametrize("make", (os.mkfifo, lambda path: os.symlink("/etc/passwd", path)),
                         ids=("fifo", "symlink"))
def test_a_new_state_is_a_new_file(start, state, make):
    """What lies where it is written is not written to, nor waited for."""
    state.mkdir(mode=0o700)
    make(state / "state.new")
    daemon = start(*keeping(state))
    (daemon / "cpu" / "one").mkdir()
    killed(daemon)
    assert [entry.name for entry in state.iterdir() if entry.name == "state.new"] == []
    daemon = start(*keeping(state))
    assert (daemon / "cpu" / "one").is_dir()


def test_by_a_link_of_ours(start, state):
    state.mkdir(mode=0o700)
    link = state.with_name("link")
    link.symlink_to(state)
    start(*keeping(link))
    assert (state / "state").is_file()


def test_two_daemons_do_not_share(start, state):
    daemon = start(*keeping(state))
    with mounting.mount_point() as other:
        line = refused(other, state)
        assert f"process {daemon.pid}" in line and str(state) in line
        (state / "lock").unlink()
        assert f"{state}: another fuse_cgroupfs uses it" in refused(other, state)


@pytest.mark.parametrize("spoil, mend", (
    (lambda path: os.chown(path, NOBODY, 0), lambda path: os.chown(path, 0, 0)),
    (lambda path: os.chmod(path, 0o770), lambda path: os.chmod(path, 0o700)),
    (lambda path: os.chmod(path, 0o702), lambda path: os.chmod(path, 0o750)),
), ids=("owner", "group", "others"))
@pytest.mark.parametrize("name", (".", "state"))
def test_what_others_may_write_is_refused(start, directory, state, name, spoil, mend):
    """Else they would say whose memory, cgroups and processes root's daemon thinks that it has."""
    content = filled(start, state).read_bytes()
    spoil(state / name)
    line = refused(directory, state)
    assert line.startswith(f"fuse_cgroupfs: -o state: {state / name}: ")
    assert (state / "state").read_bytes() == content
    assert not list(state.glob("state.refused-*"))
    mend(state / name)
    daemon = start(*keeping(state))
    assert (daemon / "cpu" / "two").is_dir()


def fill(disk):
    with contextlib.suppress(OSError), open(disk / "much", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "none", path], check=True)
    yield path
    subprocess.run(["umount", path], check=True)


def remount(disk, how):
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def empty(disk):
    (disk / "much").unlink()


SPOILED = {
    "full": (fill, empty, "before"),
    "read-only": (lambda disk: remount(disk, "ro"), lambda disk: remount(disk, "rw"), "before"),
}
if not mounting.in_gvisor():  # of its tmpfs it is not known where a file's last page ends
    SPOILED["full meanwhile"] = (fill, empty, "meanwhile")


@pytest.mark.parametrize("spoil, mend, when", SPOILED.values(), ids=SPOILED)
def test_what_can_be_read_is_gone_on_with(disk, start, spoil, mend, when):
    """It says once that nothing is kept, and keeps all as soon as it can."""
    state = disk / "state"
    file = filled(start, state)
    if when == "before":
        spoil(disk)
    daemon = mounting.Daemon(start.directory, *keeping(state))
    if when == "meanwhile":
        spoil(disk)
    assert (daemon / "cpu" / "two" / "cpu.shares").read_text() == "77\n"
    more = 64 if when == "meanwhile" else 0  # than there is room for where the file ends
    for number in range(more):
        (daemon / "cpu" / f"{number}{'-' * 100}").mkdir()
    (daemon / "cpu" / "four").mkdir()
    mend(disk)
    assert mounting.wait_until(lambda: b"four" in file.read_bytes())
    daemon.process.kill()
    said = daemon.process.communicate()[1].splitlines()
    complaint = f"state: {state}: .*: changes are not kept until it can be written again"
    assert len([line for line in said if re.search(complaint, line)]) == 1, said
    assert any(f"state: {state}: can be written again" in line for line in said), said
    daemon = start(*keeping(state))
    assert (daemon / "cpu" / "four").is_dir() and len(list((daemon / "cpu").glob("*--"))) == more


def test_a_full_disk_with_nothing_on_it_is_said(disk, directory):
    fill(disk)
    (disk / "much").rename(disk / "more")
    fill(disk)
    assert "No space left" in refused(directory, disk / "state")


def test_the_deepest_comes_first(start, state):
    """As in a file of a tree that was renamed from its leaves up: each is there before its parent."""
    file = filled(start, state)
    content, found = records(file.read_bytes())
    number, place = next((key[1], entry) for key, entry in entries(file.read_bytes()).items()
                         if key != SEEN and key[0] == CGROUP and entry[16:].startswith(b"one"))
    rest, last = place[16 + len("one"):], 2 ** 32 + DEEP
    chain = b""
    for child in range(last, 2 ** 32, -1):
        parent = child - 1 if child > 2 ** 32 + 1 else number
        entry = struct.pack("=QQ", parent, 1) + b"a" + rest
        chain += struct.pack("=QQQ", CGROUP, child, len(entry)) + entry
    file.write_bytes(content + b"".join(map(record_of, (*found, chain))))
    daemon = start(*keeping(state))
    before = os.getcwd()
    try:
        os.chdir(daemon / "cpu" / "one")
        for _ in range(DEEP):
            os.chdir("a")
    finally:
        os.chdir(before)


DEEP = 1100 if mounting.SANITIZED else 4200  # a start takes the square of it


def test_another_boot_keeps_all_but_processes(start, state, request):
    daemon = start(*keeping(state))
    box = daemon / "memory" / "box"
    box.mkdir()
    (box / "memory.limit_in_bytes").write_text("64M")
    # What a process had before it moved stays where it was: so it starts anew inside.
    inside = subprocess.Popen(["sh", "-c", f"echo 0 > {box}/cgroup.procs; exec sleep 60"])
    request.addfinalizer(lambda: (inside.kill(), inside.wait()))
    assert mounting.wait_until(lambda: int((box / "memory.max_usage_in_bytes").read_text()))
    peak = int((box / "memory.max_usage_in_bytes").read_text())
    killed(daemon)
    with open("/proc/sys/kernel/random/boot_id", "rb") as boot:
        change(state / "state", boot.read().strip(), b"0" * 36)
    start(*keeping(state))
    assert (box / "memory.limit_in_bytes").read_text() == "67108864\n"
    assert (box / "cgroup.procs").read_text() == ""
    assert int((box / "memory.max_usage_in_bytes").read_text()) >= peak
    assert (box / "memory.usage_in_bytes").read_text() == "0\n"


def test_left_out_hierarchy_is_said(start, directory, state):
    filled(start, state)
    result = mounting.run("-f", *keeping(state), "-o", "controllers=memory", directory)
    assert result.returncode == 1 and "-o controllers" in result.stderr
    assert not list(state.glob("state.refused-*"))
    daemon = start(*keeping(state))
    assert (daemon / "cpu" / "one").is_dir()


def test_unusable_directory_is_said(directory, tmp_path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refused(directory, tmp_path / "file")
    assert "No such file" in refused(directory, tmp_path / "no" / "such")


def test_journal_does_not_grow_for_ever(start, state):
    daemon = start(*keeping(state))
    box = daemon / "cpu" / "box"
    box.mkdir()
    for number in range(6000):
        os.setxattr(box, "user.note", str(number).encode() * 100)
    assert (state / "state").stat().st_size < 2 ** 21
    killed(daemon)
    start(*keeping(state))
    assert os.getxattr(box, "user.note") == b"5999" * 100


def test_mounted_elsewhere(start, state):
    """The state is the tree's, not the mount point's."""
    filled(start, state)
    with mounting.mount_point() as other:
        daemon = mounting.Daemon(other, *keeping(state))
        assert (daemon / "cpu" / "two").is_dir()
        assert daemon.stop() == (0, "")
    start(*keeping(state))


@pytest.mark.parametrize("source", ("auto", "scan"))
def test_an_older_orphan_stays_where_it_was(start, state, source):
    """Who was forked just before its kin was attached is not taken for a newer one's kin."""
    options = (*keeping(state), "-o", f"accounting={source}")
    daemon = start(*options)
    worker = nothing_lost.Worker()
    orphans = []
    try:
        for number in range(8):
            web = daemon / "memory" / f"web{number}"
            web.mkdir()
            orphans.append(worker.ask("orphan"))
            (web / "cgroup.procs").write_text(str(worker.pid))
            killed(daemon)
            born = worker.ask("fork")
            orphans.append(born)
            daemon = start(*options)
            members = [int(pid) for pid in (web / "cgroup.procs").read_text().split()]
            assert members == sorted([worker.pid, born])  # numbers begin anew some day
            (daemon / "memory" / "cgroup.procs").write_text(str(worker.pid))
    finally:
        worker.process.kill()
        worker.process.wait()
        for pid in orphans:
            os.kill(pid, signal.SIGKILL)


def test_a_few_kills(directory, state):
    """A short run of tests/state/nothing_lost.py."""
    run = nothing_lost.Run(directory, state, (), random.Random(1))
    try:
        run.run(3)
    finally:
        run.clean()
        if run.daemon.process.poll() is None:
            killed(run.daemon)
        subprocess.run(["umount", "-l", directory], check=False, capture_output=True)


def entries(content):
    """The last of each entry, by kind and number, as src/state/kept.h has them."""
    found = {}
    for record in records(content)[1]:
        while record:
            kind, number, length = struct.unpack("=QQQ", record[:24])
            entry, record = record[24:24 + length], record[24 + length:]
            if kind == SEEN:
                found[kind] = number, entry
            elif kind == REMOVED:
                for of_cgroup in (CGROUP, VALUES, USAGE):
                    found.pop((of_cgroup, number), None)
            elif kind == GONE:
                found.pop((PROCESS, number), None)
            else:
                found[kind, number] = entry
    return found


BOOT, CGROUP, VALUES, USAGE, REMOVED, PROCESS, GONE, SEEN = range(1, 9)


def made_by(uid, gid, path):
    """A directory as this user makes it."""
    os.setegid(gid)
    os.seteuid(uid)
    try:
        path.mkdir()
    finally:
        os.seteuid(0)
        os.setegid(0)


def used(daemon, spawn, helper):
    """Cgroups of users, with members, past and present, that are counted and frozen."""
    for hierarchy in ("memory", "cpuacct", "pids", "freezer", "blkio"):
        box = daemon / hierarchy / "box"
        box.mkdir()
        os.chown(box, 1000, 2000)
        made_by(1000, 2000, box / "inner")
        (box / "cgroup.procs").write_text(str(helper.pid))
    for _ in range(3):
        helper.ask("fork")
    assert (daemon / "pids" / "box" / "pids.current").read_text() == "4\n"
    helper.ask("end")
    assert (daemon / "pids" / "box" / "pids.current").read_text() == "3\n"
    for hierarchy in ("memory", "freezer"):
        for name in ("", "inner"):  # what it has then stays in the first
            (daemon / hierarchy / "box" / name / "cgroup.procs").write_text(str(spawn.last))
    (daemon / "freezer" / "box" / "inner" / "freezer.state").write_text("FROZEN")
    (daemon / "memory" / "box" / "memory.stat").read_text()
    (daemon / "cpuacct" / "box" / "cpuacct.usage").read_text()


def test_what_is_loaded_is_told_as_it_was(start, state, spawn):
    """A start that fails leaves all that the daemon before it knew, though it writes it anew."""
    daemon = start(*keeping(state))
    spawn.last = spawn()
    with Helper(FORKER) as helper:
        try:
            used(daemon, spawn, helper)
            killed(daemon)
            before = entries((state / "state").read_bytes())
            assert mounting.run("-f", *keeping(state), "/proc/version").returncode == 1
            after = entries((state / "state").read_bytes())
        finally:
            for _ in range(2):
                helper.ask("end")
        start(*keeping(state))
    for key, entry in before.items():
        assert after[key] == entry, key
    assert {kind for kind, _ in after.keys() - before.keys() - {SEEN}} <= {USAGE}  # of nothing


def test_journal_has_what_a_snapshot_has(start, state, spawn):
    """Also of the ancestors of what was removed: a root keeps what its children did."""
    daemon = start(*keeping(state))
    spawn.last = spawn()
    gone = daemon / "blkio" / "gone"
    gone.mkdir()
    with Helper(FORKER) as helper, tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        used(daemon, spawn, helper)
        subprocess.run(["sh", "-c", f"echo 0 > {gone}/cgroup.procs; "
                        f"exec dd if=/dev/zero of={file.name} bs=1M count=4 conv=fsync status=none"],
                       check=True)
        (gone / "blkio.throttle.io_service_bytes").read_text()
        gone.rmdir()
        journal = entries((state / "state").read_bytes())
        assert daemon.stop() == (0, "")
        snapshot = entries((state / "state").read_bytes())
        for _ in range(2):
            helper.ask("end")
    for key, entry in snapshot.items():
        if key != SEEN and key[0] in (CGROUP, VALUES):
            assert journal[key] == entry, key


GROWER = """
import mmap, sys
memory = mmap.mmap(-1, 32 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for line in sys.stdin:
    if line == "grow\\n":
        for offset in range(0, len(memory), 4096):
            memory[offset] = 1
    else:
        memory.madvise(mmap.MADV_DONTNEED)
    print("done")
"""


def test_memory_stays_where_it_came_to_be(start, state):
    """What a process had when it moved is the first group's, also when it takes it once more."""
    daemon = start(*keeping(state))
    first, second = daemon / "memory" / "first", daemon / "memory" / "second"
    first.mkdir()
    second.mkdir()
    with Helper(GROWER) as helper:
        (first / "cgroup.procs").write_text(str(helper.pid))
        helper.ask("grow")
        (second / "cgroup.procs").write_text(str(helper.pid))
        helper.ask("shrink")
        assert mounting.wait_until(lambda: rss(second) + rss(first) < 24 << 20)
        killed(daemon)
        start(*keeping(state))
        helper.ask("grow")
        assert mounting.wait_until(lambda: rss(second) + rss(first) > 24 << 20)
        assert rss(second) < 8 << 20


def rss(cgroup):
    lines = (cgroup / "memory.stat").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rss ")).split()[1])
