# SPDX-License-Identifier: MIT
"""fuse_cgroup_run --v2: the unified hierarchy, held against the kernel's own where the machine has one."""

import os
import pathlib
import signal

import pytest

import launcher
import mount_calls
import probes
import unified_calls
from launcher import AT, complaint, launch, shell
from mounting import wait_until
from processes import error_of

NAME = f"fcg-v2-{os.getpid()}"
CONTROLLERS = "cpuset cpu io memory hugetlb pids rdma misc"


def kernels_place():
    """Where the machine's own cgroup2 is mounted whole; None: nowhere."""
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        for line in table:
            words = line.split()
            if words[words.index("-") + 1] == "cgroup2" and words[3] == "/" and os.access(words[4], os.W_OK):
                return words[4]
    return None


@pytest.fixture(scope="module", params=[(), ("--redirect",)], ids=["mounted", "redirected"])
def unified(request):
    with launcher.Inside("--v2", *request.param) as program:
        yield program


@pytest.fixture
def kernel():
    place = os.geteuid() == 0 and kernels_place()
    if not place:
        pytest.skip("this machine's own cgroup2 is mounted nowhere where we may make a cgroup")
    return place


def write(path, text):
    pathlib.Path(path).write_text(text, encoding="ascii")


# --- which version ---

def test_version():
    for option, kind in (("--v1", "tmpfs"), ("--v2", "cgroup2fs")):
        assert shell(f"stat -f -c %T {AT}", options=[option]) == f"{kind}\n"


def test_default_is_the_machines():
    """All of its controllers are with v2, or v1 it is."""
    lines = pathlib.Path("/proc/cgroups").read_text(encoding="ascii").splitlines()[1:]
    has_v2 = all(line.split()[1] == "0" for line in lines)
    assert shell(f"stat -f -c %T {AT}") == ("cgroup2fs\n" if has_v2 else "tmpfs\n")


@pytest.mark.parametrize("served, option", [("v1", "--v2"), ("v2", "--v1")])
def test_not_the_version_of_the_root(start, served, option):
    """A tree that is mounted already has one version, which is found out."""
    daemon = start(*(["-o", "v2"] if served == "v2" else []))
    assert shell(f"stat -f -c %T {AT}", options=["--root", daemon.path]) == (
        "cgroup2fs\n" if served == "v2" else "tmpfs\n")
    said = complaint(launch("true", options=[option, "--root", daemon.path]))
    assert str(daemon.path) in said and served in said


# --- what it says of itself ---

def test_filesystem_type(unified):
    for path in (AT, f"{AT}/cgroup.procs", f"{AT}/."):
        assert unified.call(probes.statfs, path)["type"] == probes.CGROUP2
        assert unified.call(probes.fstatfs_of, path)["type"] == probes.CGROUP2
    assert unified.call(os.listdir, AT).count("cgroup.controllers") == 1


def test_figures_of_the_filesystem(unified, kernel):
    ours, theirs = unified.call(probes.statfs, AT), probes.statfs(kernel)
    for name in set(ours) - {"fsid", "flags"}:
        assert ours[name] == theirs[name], name


def test_one_line_in_the_tables(unified):
    mountinfo = unified.call(probes.read, "/proc/self/mountinfo")
    assert [(line.split()[3], line.split()[4]) for line in mountinfo.splitlines()
            if " - cgroup" in line] == [("/", AT)]
    assert probes.mounts(mountinfo)[AT] == ("cgroup2", "cgroup2", "rw")
    assert [line.split()[:3] for line in unified.call(probes.read, "/proc/mounts").splitlines()
            if " cgroup" in line] == [["cgroup2", AT, "cgroup2"]]
    assert [line for line in unified.call(probes.read, "/proc/self/mountstats").splitlines()
            if "with fstype cgroup" in line] == [f"device cgroup2 mounted on {AT} with fstype cgroup2"]


def test_controllers(unified):
    assert unified.call(probes.read, f"{AT}/cgroup.controllers") == f"{CONTROLLERS}\n"
    heading, *rows = (line.split() for line in unified.call(probes.read, "/proc/cgroups").splitlines())
    assert heading == ["#subsys_name", "hierarchy", "num_cgroups", "enabled"]
    assert {row[0] for row in rows} == set(
        "cpuset cpu cpuacct blkio memory devices freezer net_cls perf_event net_prio hugetlb pids rdma misc"
        .split())
    assert {(row[1], row[3]) for row in rows} == {("0", "1")} and len(rows) == 14


def test_init_and_we_are_in_the_root(unified):
    for path in ("/proc/self/cgroup", "/proc/1/cgroup"):
        assert unified.call(probes.read, path) == "0::/\n"


def test_memberships(unified, kernel):
    ours = unified.call(unified_calls.memberships, AT, NAME)
    assert ours == unified_calls.memberships(kernel, NAME)
    assert ours[-1] == f"0::/{NAME}/gone (deleted)"


def test_cpuset(unified):
    """Of the nearest cgroup that has the controller (proc_cpuset_show)."""
    def look(program):
        return program.call(probes.read, "/proc/self/cpuset")

    assert look(unified) == "/\n"
    unified.call(os.makedirs, f"{AT}/{NAME}/in")
    unified.call(write, f"{AT}/{NAME}/in/cgroup.procs", str(unified.call(os.getpid)))
    assert look(unified) == "/\n"
    unified.call(write, f"{AT}/cgroup.subtree_control", "+cpuset")
    assert look(unified) == f"/{NAME}\n"
    unified.call(write, f"{AT}/{NAME}/cgroup.subtree_control", "+cpuset")
    assert look(unified) == f"/{NAME}/in\n"
    unified.call(write, f"{AT}/cgroup.procs", str(unified.call(os.getpid)))
    for path in (f"{AT}/{NAME}/in", f"{AT}/{NAME}"):
        unified.call(os.rmdir, path)
    unified.call(write, f"{AT}/cgroup.subtree_control", "-cpuset")


# --- mounting it ---

def test_mount_ends(kernel):
    """In a cgroup namespace, where the kernel takes no options for the whole filesystem."""
    words = "- nsdelegate memory_recursiveprot,favordynmods ro bogus none,name=x memory"
    script = f"unshare -m -C --propagation private {probes.COMMAND} mount_ends cgroup2 {words}"
    _, theirs, said = probes.run("sh", "-c", script)
    assert shell(script, options=["--v2"]) == theirs and not said
    assert theirs.split()[:2] == ["0", "0"]


def test_mounted_elsewhere():
    out = shell("""mount -t cgroup2 none /mnt; stat -f -c %T /mnt; cat /mnt/cgroup.controllers
        grep " /mnt " /proc/self/mountinfo | cut -d " " -f 4,5,8; umount /mnt""",
                options=["--v2"],
                wrapper=[*launcher.WITHOUT_CGROUPS, "unshare", "-m", "--propagation", "private"])
    assert out.splitlines() == ["cgroup2fs", CONTROLLERS, "/ /mnt cgroup2"]


def test_version_one_is_not_there(unified):
    """As of a kernel without it."""
    assert unified.call(probes.mount_end, "cgroup", "memory", "/mnt") == "ENODEV"
    assert unified.call(mount_calls.fsopen, "cgroup") == "ENODEV"


def test_fsopen(unified):
    assert unified.call(mount_calls.mounted_newly, "cgroup2", "", "0")[0] == "/ rw,relatime cgroup2 rw"


def test_namespace_of_the_command():
    """unshare -C: the mount made there has the namespace's root."""
    out = shell(f"""mkdir -p {AT}/a/b; echo $$ >{AT}/a/cgroup.procs
        unshare -C -m sh -ec 'mount -t cgroup2 none /mnt; ls -d /mnt/b; cat /proc/self/cgroup
            for place in /mnt {AT}; do grep " $place " /proc/self/mountinfo | cut -d " " -f 4; done'
        echo $$ >{AT}/cgroup.procs; rmdir {AT}/a/b {AT}/a""", options=["--v2"])
    assert out.split() == ["/mnt/b", "0::/", "/", "/.."]


# --- limits ---

@pytest.mark.parametrize("more", [(), ("--redirect",)])
def test_limits(more):
    files = {"memory.max": "536870912", "memory.swap.max": "536870912", "cpu.max": "150000 100000",
             "cpu.weight": "59", "cpuset.cpus": "0", "pids.max": "100", "cgroup.controllers": CONTROLLERS,
             "cgroup.type": "domain"}
    out = shell(f"""for file; do cat {AT}/$file; done
        cat /proc/self/cgroup /proc/1/cgroup; grep -cx $$ {AT}/cgroup.procs""", *files,
                options=["--v2", *more, "-m", "512m", "--cpus", "1.5", "-c", "512", "--cpuset-cpus", "0",
                         "--pids-limit", "100"])
    assert out.splitlines() == [*files.values(), "0::/", "0::/..", "1"]


@pytest.mark.parametrize("options, file, expected", [
    (["-m", "512m", "--memory-swap", "512m"], "memory.swap.max", "0"),
    (["-m", "512m", "--memory-swap", "-1"], "memory.swap.max", "max"),
    (["--cpus", "0.25"], "cpu.max", "25000 100000"), (["-c", "1024"], "cpu.weight", "100"),
    (["--pids-limit", "-1"], "pids.max", "max"), (["--cpus", "1"], "memory.max", "max")])
def test_limit(options, file, expected):
    assert shell(f"cat {AT}/{file}", options=["--v2", *options]) == f"{expected}\n"


# --- a killed daemon ---

def test_daemon_killed():
    """Another goes on with its state at the same place."""
    program = launcher.Inside("--v2")
    pid = program.call(os.getpid)
    program.call(write, f"{AT}/cgroup.subtree_control", "+memory")
    program.call(os.mkdir, f"{AT}/child")
    program.call(write, f"{AT}/child/memory.max", "64M")
    program.call(write, f"{AT}/child/cgroup.procs", str(pid))
    daemon, = launcher.daemons_in(program.directory)
    os.kill(daemon, signal.SIGKILL)
    assert wait_until(lambda: launcher.daemons_in(program.directory) not in ([], [daemon]))
    assert wait_until(lambda: not error_of(program.call, os.listdir, AT)), "the tree is not back"
    assert program.call(probes.read, f"{AT}/child/memory.max") == f"{64 << 20}\n"
    assert program.call(probes.read, f"{AT}/child/cgroup.procs") == f"{pid}\n"
    assert program.call(probes.read, "/proc/self/cgroup") == "0::/child\n"
    assert program.call(probes.statfs, f"{AT}/child")["type"] == probes.CGROUP2
    assert wait_until(lambda: any(f" {AT} " in line and " - cgroup2 " in line for line in program.call(
        probes.read, "/proc/self/mountinfo").splitlines()))
    test_one_line_in_the_tables(program)
    program.call(write, f"{AT}/cgroup.procs", str(pid))
    program.call(os.rmdir, f"{AT}/child")
    program.close(0, "fuse_cgroup_run: its daemon has ended: starting another\n")


# --- calls of which the kernel knows nothing on FUSE ---

def test_clone_into_cgroup(unified, kernel):
    """Ours is no cgroup to the kernel: the answer is one on which clients start and move instead."""
    assert unified.call(unified_calls.start_in, AT) == "ENOTSUP"
    assert unified.call(unified_calls.start_in, "/tmp") == unified_calls.start_in("/tmp") == "EBADF"
    assert unified_calls.start_in(kernel) == "started"


def test_bpf(unified, kernel):
    ours = unified.call(unified_calls.attachments, AT, NAME)
    theirs = unified_calls.attachments(kernel, NAME)
    assert ours == theirs
    assert any(end == 0 for end, _ in theirs), "the kernel refuses all here"


def test_bpf_of_ancestors(unified, kernel):
    ours = unified.call(unified_calls.inherited_attachments, AT, NAME)
    assert ours == unified_calls.inherited_attachments(kernel, NAME)


@pytest.mark.parametrize("steps", [unified_calls.ordered_attachments, unified_calls.linked_attachments])
def test_bpf_in_order(unified, kernel, steps):
    theirs = steps(kernel, NAME)
    if theirs[0][2] == "EINVAL":
        pytest.skip("this machine's kernel knows no order among programs")
    assert unified.call(steps, AT, NAME) == theirs


def test_bpf_needs_the_right():
    out = shell(f"setpriv --bounding-set -all --inh-caps -all --reuid 65534 --clear-groups "
                f"{launcher.PYTHON} {launcher.HERE}/unified_calls.py query_of {AT}", options=["--v2"])
    assert out == "EPERM\n"


def test_events(unified):
    with_one, without = "populated 1\nfrozen 0\n", "populated 0\nfrozen 0\n"
    said = unified.call(unified_calls.told_of_change, AT, NAME)
    assert said == [without, with_one, without, with_one, without]


def test_events_of_the_kernel(kernel):
    """What the test above takes for the kernel's way is."""
    assert len(unified_calls.told_of_change(kernel, NAME)) == 5
