# SPDX-License-Identifier: MIT
"""The limits that a command is shown: the tree as from inside a container."""

import contextlib
import os
import re

import pytest

import launcher
import mounting
import probes
from launcher import AT, HIERARCHIES, complaint, launch, shell
from processes import error_of

NO_LIMIT = "9223372036854771712"


def show(*options, files):
    """The files' contents under these options."""
    script = "for file; do cat \"$file\"; done"
    return shell(script, *(f"{AT}/{file}" for file in files), options=options).splitlines()


@pytest.mark.parametrize("options, expected", [
    (["--memory", "512M"], ("536870912", "1073741824")),
    (["-m", "512m"], ("536870912", "1073741824")),
    (["-m1.5g"], ("1610612736", "3221225472")), (["-m=1.5g"], ("1610612736", "3221225472")),
    (["--memory=100000000"], ("99999744", "199999488")),  # whole pages, as the kernel has it
    (["-m", "512m", "--memory-swap", "512m"], ("536870912", "536870912")),
    (["-m", "512m", "--memory-swap", "2g"], ("536870912", "2147483648")),
    (["-m", "512m", "--memory-swap", "-1"], ("536870912", NO_LIMIT)),
    (["-m", "4096p"], (str(4096 << 50), NO_LIMIT)),
    (["-m", "6m"], ("6291456", "12582912")),
    (["--memory-swap", "-1"], (NO_LIMIT, NO_LIMIT)),
    (["-m", "0", "--cpus", "1"], (NO_LIMIT, NO_LIMIT)),
    (["--cpus", "1"], (NO_LIMIT, NO_LIMIT))])
def test_memory(options, expected):
    found = show(*options, files=["memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes"])
    assert tuple(found) == expected


@pytest.mark.parametrize("options, expected", [
    (["--cpus", "0.5"], ("50000", "100000", "1024")), (["--cpus", "0.25"], ("25000", "100000", "1024")),
    (["--cpu-shares", "512"], ("-1", "100000", "512")), (["-c", "2"], ("-1", "100000", "2")),
    (["-c", "300000"], ("-1", "100000", "262144"))])
def test_cpu(options, expected):
    found = show(*options, files=["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us", "cpu/cpu.shares"])
    assert tuple(found) == expected


@pytest.mark.parametrize("options, files, expected", [
    (["--v1", "--cpu-quota", "50000", "--cpu-period", "200000"],
     ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"],
     ["50000", "200000"]),
    (["--v1", "--cpu-quota", "-1"], ["cpu/cpu.cfs_quota_us"], ["-1"]),
    (["--v1", "-m", "1g", "--memory-reservation", "64m"], ["memory/memory.soft_limit_in_bytes"],
     ["67108864"]),
    (["--v1", "--memory-swappiness", "0"], ["memory/memory.swappiness"], ["0"]),
    (["--v1", "--blkio-weight", "300"], ["blkio/blkio.bfq.weight"], ["300"]),
    (["--v1", "--cpuset-mems", "0", "--cpuset-cpus", "0"], ["cpuset/cpuset.mems", "cpuset/cpuset.cpus"],
     ["0", "0"]),
    (["--v2", "--cpu-quota", "50000", "--cpu-period", "200000"], ["cpu.max"], ["50000 200000"]),
    (["--v2", "--cpu-period", "200000"], ["cpu.max"], ["max 200000"]),
    (["--v2", "-m", "1g", "--memory-reservation", "64m"], ["memory.low", "memory.max"],
     ["67108864", "1073741824"]),
    (["--v2", "--blkio-weight", "300"], ["io.bfq.weight"], ["default 300"]),
    (["--v2", "--cpuset-mems", "0", "--cpuset-cpus", "0"], ["cpuset.mems", "cpuset.cpus"], ["0", "0"])],
                         ids=lambda value: " ".join(value))
def test_dockers_further_options(options, files, expected):
    assert show(*options, files=files) == expected


@pytest.mark.parametrize("version, place", [([], "*/"), (["-o", "v2"], "")], ids=["v1", "v2"])
@pytest.mark.parametrize("given", ["/pods/web", "pods//web/"])
def test_parent(start, version, place, given):
    """The command's cgroup is made in it, and it stays; seen from within it is outside."""
    daemon = start(*version)
    options = ["--root", daemon.path, "--cgroup-parent", given, "-m", "64m"]
    with launcher.Inside(*options) as program:
        pid = program.call(os.getpid)
        found = list(daemon.path.glob(f"{place}pods/web/run-*/cgroup.procs"))
        assert len(found) == (1 if version else len(HIERARCHIES))
        assert all(str(pid) in file.read_text().split() for file in found)
        lines = program.call(probes.read, "/proc/1/cgroup").splitlines()
        assert lines and all(line.endswith(":/../../..") for line in lines)
    assert not list(daemon.path.glob(f"{place}pods/web/run-*"))
    for name in ("pods/web", "pods"):
        for directory in daemon.path.glob(f"{place}{name}"):
            directory.rmdir()


def test_parent_where_paths_are_led():
    """What leaves the command's root leaves its parents, too."""
    path = f"{AT}/memory/../cpu/cpu.shares"
    assert shell(f"ls {path}", options=["--v1", "--redirect", "--cgroup-parent", "/pods/web"]) == f"{path}\n"


@pytest.mark.parametrize("version, mounts", [("--v1", "cgroup"), ("--v2", "cgroup2")])
def test_mounts_where_paths_are_led(version, mounts):
    """They are of the command's own cgroup, which is the root."""
    found = shell(f"grep ' - {mounts} ' /proc/self/mountinfo",
                  options=[version, "--redirect", "-m", "64m"]).splitlines()
    assert len(found) == (len(HIERARCHIES) if version == "--v1" else 1)
    assert {line.split()[3] for line in found} == {"/"}


def test_cpuset():
    found = show("--cpuset-cpus", "0", files=["cpuset/cpuset.cpus", "cpuset/cpuset.effective_cpus"])
    assert found == ["0", "0"]
    every, mems = show(files=["cpuset/cpuset.cpus", "cpuset/cpuset.mems"])
    assert show("-m", "1g", files=["cpuset/cpuset.cpus", "cpuset/cpuset.mems"]) == [every, mems]


def test_processors_are_counted_so():
    """What sched_getaffinity says, by which runtimes count them."""
    assert shell("nproc", options=["--cpuset-cpus", "0"]) == "1\n"
    assert shell("nproc") == f"{len(os.sched_getaffinity(0))}\n"


@pytest.mark.parametrize("number, expected", [("100", "100"), ("-1", "max"), ("0", "max")])
def test_pids(number, expected):
    assert show("--pids-limit", number, files=["pids/pids.max"]) == [expected]


# --- the tree then ---

def test_everyone_of_it_is_in_the_root(limited):
    count = len(HIERARCHIES)
    lines = limited.call(probes.read, "/proc/self/cgroup").splitlines()
    assert len(lines) == count and all(line.endswith(":/") for line in lines)
    assert limited.call(probes.read, "/proc/self/cpuset") == "/\n"
    for name in HIERARCHIES:
        members = limited.call(probes.read, f"{AT}/{name}/cgroup.procs").split()
        assert members == [str(limited.call(os.getpid))], name
    status, out, _ = limited.call(probes.run, "sh", "-c", "cat /proc/self/cgroup | grep -c :/$")
    assert (status, out) == (0, f"{count}\n")


def test_it_is_a_child(limited):
    """The files of the root only are not there, those of children only are."""
    assert error_of(limited.call, os.stat, f"{AT}/memory/release_agent") == "ENOENT"
    assert error_of(limited.call, os.stat, f"{AT}/cpuset/cgroup.sane_behavior") == "ENOENT"
    for file in ("freezer/freezer.state", "pids/pids.max", "devices/devices.list"):
        limited.call(os.stat, f"{AT}/{file}")


def test_strangers_are_outside(limited):
    """init's cgroups, as from a cgroup namespace."""
    lines = limited.call(probes.read, "/proc/1/cgroup").splitlines()
    assert len(lines) == len(HIERARCHIES) and all(line.endswith(":/..") for line in lines)
    assert limited.call(probes.read, "/proc/1/cpuset") == "/..\n"


def test_mounts_have_the_root(limited):
    for line in limited.call(probes.read, "/proc/self/mountinfo").splitlines():
        if " - cgroup " in line:
            assert line.split()[3] == "/"
    assert limited.call(probes.statfs, f"{AT}/cpu")["type"] == probes.CGROUP
    assert limited.call(probes.statfs, AT)["type"] == probes.TMPFS


def test_children_of_it(limited):
    status, out, err = limited.call(probes.run, "sh", "-ec", f"""
        mkdir {AT}/memory/child {AT}/memory/child/below "$TMPDIR/bound"
        echo 64M > {AT}/memory/child/memory.limit_in_bytes
        echo $$ > {AT}/memory/child/below/cgroup.procs
        grep memory /proc/self/cgroup
        unshare -m sh -ec 'mount --bind {AT}/memory/child "$TMPDIR/bound"
            grep "$TMPDIR" /proc/self/mountinfo | cut -d " " -f 4'
        grep hierarchical_memory_limit {AT}/memory/child/below/memory.stat
        echo $$ > {AT}/memory/cgroup.procs
        rmdir {AT}/memory/child/below {AT}/memory/child "$TMPDIR/bound"
        """)
    assert (status, err) == (0, "")
    assert out.split() == ["8:memory:/child/below", "/child", "hierarchical_memory_limit", "67108864"]


def test_usage_is_the_commands(limited):
    """What the command uses, not the machine: from its start."""
    usage = int(limited.call(probes.read, f"{AT}/memory/memory.usage_in_bytes"))
    assert 1 << 20 < usage < 256 << 20
    assert 0 < int(limited.call(probes.read, f"{AT}/cpuacct/cpuacct.usage")) < 100 * 10 ** 9
    status, out, _ = limited.call(probes.run, "cat", f"{AT}/pids/pids.current")
    assert (status, out) == (0, "2\n")


def test_in_a_mount_of_others(start):
    """--root: the command's cgroups are made in that tree, and removed at the end."""
    daemon = start()
    with launcher.Inside("--root", daemon.path, "-m", "256m") as program:
        pid = program.call(os.getpid)
        assert [len(list((daemon / each).glob("run-*"))) for each in HIERARCHIES] == [1] * len(HIERARCHIES)
        name = next(name for name in os.listdir(daemon / "memory") if name.startswith("run-"))
        limit = daemon / "memory" / name / "memory.limit_in_bytes"
        assert limit.read_text() == f"{256 << 20}\n"
        assert program.call(probes.read, f"{AT}/memory/memory.limit_in_bytes") == f"{256 << 20}\n"
        assert str(pid) in (daemon / "memory" / name / "cgroup.procs").read_text().split()
    assert not list(daemon.path.glob("*/run-*"))


def test_a_tree_that_may_only_be_read(start):
    """mounts says so by its first option, mountinfo by the first of the filesystem's."""
    daemon = start("-o", "ro")
    with launcher.Inside("--root", daemon.path) as program:
        for line in program.call(probes.read, "/proc/self/mounts").splitlines():
            if line.startswith(f"cgroup {AT}/"):
                assert re.match(r"\S+ \S+ \S+ ro,", line)
        mounts = probes.mounts(program.call(probes.read, "/proc/self/mountinfo"))
        assert [mounts[f"{AT}/{name}"][2].split(",")[0] for name in HIERARCHIES] == ["ro"] * len(HIERARCHIES)
        assert error_of(program.call, os.mkdir, f"{AT}/cpu/new") == "EROFS"


def test_two_at_once(start):
    daemon = start()
    with launcher.Inside("--root", daemon.path, "-m", "1g") as one, \
            launcher.Inside("--root", daemon.path, "-m", "2g") as two:
        for program, size in ((one, 1 << 30), (two, 2 << 30)):
            assert program.call(probes.read, f"{AT}/memory/memory.limit_in_bytes") == f"{size}\n"
        text = one.call(probes.read, f"/proc/{two.call(os.getpid)}/cgroup")
        assert re.search(r"^8:memory:/\.\./run-\d+$", text, re.M)


def test_a_name_that_is_taken(start):
    """Launchers of several pid namespaces have one number: no one's cgroup is another's, though all start
    at once."""
    daemon = start()
    wrapper = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with contextlib.ExitStack() as stack:
        programs = {size: stack.enter_context(launcher.Inside("--root", daemon.path, "-m", f"{size}g",
                                                              wrapper=wrapper))
                    for size in range(1, 6)}
        assert len({program.call(os.getppid) for program in programs.values()}) == 1
        for size, program in programs.items():
            assert program.call(probes.read, f"{AT}/memory/memory.limit_in_bytes") == f"{size << 30}\n"


# --- what cannot be ---

@pytest.mark.parametrize("options, words", [
    (["--memory", "x"], ["--memory", "x"]), (["-m", "12z"], ["--memory", "12z"]),
    (["-m", "512"], ["--memory", "6m"]), (["-m", "-1"], ["--memory", "-1"]),
    (["--memory-swap", "1g"], ["--memory-swap", "--memory"]),
    (["-m", "2g", "--memory-swap", "1g"], ["--memory-swap", "--memory"]),
    (["--cpus", "0.001"], ["--cpus", "0.001"]), (["--cpus", "many"], ["--cpus", "many"]),
    (["--cpu-shares", "1"], ["--cpu-shares", "1"]), (["--pids-limit", "few"], ["--pids-limit", "few"]),
    (["--cpuset-cpus", ""], ["--cpuset-cpus"])])
def test_wrong_values(options, words):
    line = complaint(launch("true", options=options))
    assert all(word in line for word in words), line


@pytest.mark.parametrize("cpus", ["99999", "1-", "x", "2-1"])
def test_wrong_cpus(cpus):
    line = complaint(launch("true", options=["--cpuset-cpus", cpus]))
    assert "cpuset.cpus" in line and cpus in line


def test_missing_controller(start):
    daemon = start("-o", "controllers=cpu:pids")
    line = complaint(launch("true", options=["--root", daemon.path, "-m", "1g"]))
    assert "memory" in line and "controller" in line
    assert not [name for name in os.listdir(daemon / "cpu") if name.startswith("run-")]
    assert mounting.mounts_on(daemon.path) == 1
