# SPDX-License-Identifier: MIT
"""-o v2,state: what the next daemon of a unified hierarchy goes on with."""

import contextlib
import errno
import os
import random
import signal

import pytest

import mounting
from test_state import disks, keeping, killed, state_of, tree_of

pytestmark = pytest.mark.daemon
CONTROLLERS = "cpuset cpu io memory hugetlb pids rdma misc".split()
KILLS = int(os.environ.get("STATE_KILLS", "3"))
# what is written to them is done, and not kept
NOT_SETTINGS = ("cgroup.procs", "cgroup.threads", "cgroup.kill")


@pytest.fixture
def state(tmp_path):
    """The state directory, not there yet."""
    return tmp_path / "state"


@pytest.fixture
def serve(start, state):
    """Starts the daemon that goes on with the state."""
    return lambda: start("-o", "v2", *keeping(state))


def enable(cgroup, names=CONTROLLERS):
    (cgroup / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in names))


def settings(cgroup):
    """The files to which something can be written that is kept."""
    return sorted(entry.name for entry in os.scandir(cgroup)
                  if entry.name not in NOT_SETTINGS and entry.is_file() and entry.stat().st_mode & 0o200)


def texts_for(name):
    """What is worth writing to a file of this name, taken or refused."""
    if name == "cgroup.subtree_control":
        return [f"{sign}{name}" for sign in "++-" for name in CONTROLLERS]
    if name == "cgroup.type":
        return ["threaded"]
    if name.startswith("cpuset.") and name.endswith("partition"):
        return ["root", "isolated", "member"]
    if name.startswith("io."):
        return [f"{disk} {what}" for disk in disks()[:2] for what in
                ("100", "rbps=1048576 wiops=max", "rbps=max riops=77", "enable=1 rpct=95.00 rlat=5000",
                 "ctrl=user rbps=1000000 rseqiops=100 rrandiops=100")] + ["default 50", "77"]
    return ["0", "1", "2", "3", "-5", "50", "max", "64M", "20000 100000", "max 50000", "12.34", "0-1", "1000"]


def write_some(daemon, names, rng):
    files = {name: settings(daemon / name) for name in names}
    for _ in range(100):
        name = rng.choice(names)
        file = rng.choice(files[name])
        with contextlib.suppress(OSError):
            (daemon / name / file).write_text(rng.choice(texts_for(file)))


@pytest.mark.parametrize("seed", range(2))
def test_every_value_reads_as_before(serve, seed):
    """Random writes to every writable file of every cgroup, refused or not; then users, modes, names."""
    rng = random.Random(seed)
    daemon = serve()
    names = ("", "a", "a/b", "a/b/c", "a/d", "e", "e/f", "g")
    for name in names[1:]:
        (daemon / name).mkdir()
    for name in ("", "a", "a/b"):
        enable(daemon / name)
    for _ in range(KILLS):
        for _ in range(4):
            write_some(daemon, names, rng)
        before = tree_of(daemon.path)
        killed(daemon)
        daemon = serve()
        after = tree_of(daemon.path)
        assert {path: (after.get(path), seen) for path, seen in before.items()
                if after.get(path) != seen} == {}
    os.chown(daemon / "a", 1000, 1001)
    os.chmod(daemon / "a" / "cgroup.procs", 0o664)
    os.chown(daemon / "a" / "cgroup.subtree_control", 1000, 1001)
    before = tree_of(daemon.path)
    assert len(before) > 150
    killed(daemon)
    serve()
    after = tree_of(daemon.path)
    assert {path: (after.get(path), seen) for path, seen in before.items() if after.get(path) != seen} == {}


@pytest.mark.parametrize("end", (signal.SIGKILL, signal.SIGTERM), ids=("killed", "upgraded"))
def test_members_and_counters_go_on(serve, spawn, end):
    daemon = serve()
    enable(daemon.path)
    web = daemon / "web"
    (web / "threads").mkdir(parents=True)
    (web / "threads" / "cgroup.type").write_text("threaded")
    enable(web, ("cpu", "pids"))
    (daemon / "ice").mkdir()
    members = {daemon / "ice": [spawn(), spawn()], web: [spawn()]}
    (web / "pids.max").write_text("7")
    for cgroup, pids in members.items():
        for pid in pids:
            (cgroup / "cgroup.procs").write_text(str(pid))
    (web / "threads" / "cgroup.threads").write_text(str(members[web][0]))
    (daemon / "ice" / "cgroup.freeze").write_text("1")
    assert mounting.wait_until(lambda: "frozen 1" in (daemon / "ice" / "cgroup.events").read_text())
    steady = ("cgroup.type", "cgroup.procs", "cgroup.stat", "cgroup.subtree_control", "cgroup.events",
              "cgroup.freeze",
              "pids.current", "pids.max")
    before = texts(daemon.path, steady)
    counted = counters(daemon.path)
    for _ in range(2):
        killed(daemon) if end == signal.SIGKILL else daemon.stop(end)
        daemon = serve()
        mounting.wait_until(lambda: texts(daemon.path, steady) == before)
        assert texts(daemon.path, steady) == before
        assert {name: (value, counters(daemon.path)[name]) for name, value in counted.items()
                if counters(daemon.path)[name] < value} == {}
        counted = counters(daemon.path)
        assert [state_of(pid) for pid in members[daemon / "ice"]] == ["T", "T"]
    (daemon / "ice" / "cgroup.freeze").write_text("0")
    assert mounting.wait_until(lambda: state_of(members[daemon / "ice"][0]) == "S")


def cgroups_of(top):
    return [os.path.join(directory, name) for directory, names, _ in os.walk(top) for name in names]


def texts(top, names):
    """What these files of every cgroup but the root show."""
    found = {}
    for cgroup in cgroups_of(top):
        for name in names:
            path = os.path.join(cgroup, name)
            if os.path.exists(path):
                found[path] = read(path)
    return found


def read(path):
    """The text, or the error's name."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError as error:
        return errno.errorcode[error.errno]


COUNTING = {"cpu.stat": None, "cgroup.stat.local": None, "memory.peak": None, "memory.swap.peak": None,
            "pids.peak": None,
            "pids.events": None, "memory.stat": ("pgfault", "pgmajfault")}


def counters(top):
    """Figures that never fall."""
    found = {}
    for path, text in texts(top, COUNTING).items():
        keys = COUNTING[os.path.basename(path)]
        for line in text.splitlines():
            key, _, value = line.rpartition(" ")
            if not keys or key in keys:
                found[path, key] = int(value)
    return found
