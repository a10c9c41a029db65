# SPDX-License-Identifier: MIT
"""The tables of /proc show one picture: our tree in the place of the kernel's cgroups."""

import os
import pathlib
import re

import pytest

import probes
from launcher import AT, HIERARCHIES
from processes import error_of

OF_TASKS = ["mountinfo", "mounts", "mountstats", "cgroup", "cpuset"]


def option(hierarchy):
    return "name=systemd" if hierarchy == "systemd" else hierarchy


def read(inside, path):
    return inside.call(probes.read, path)


def ours_and_the_kernels(inside, path, pid):
    """A table that the program reads, and the kernel's own of the same mounts: a host mounts now and then."""
    kernels = pathlib.Path(f"/proc/{pid}") / path
    while True:
        before, text = kernels.read_text(), read(inside, f"/proc/{pid}/{path}")
        if kernels.read_text() == before:
            return text, before


# --- what they say ---

def test_mountinfo(inside):
    mounts = probes.mounts(read(inside, "/proc/self/mountinfo"))
    assert mounts[AT] == ("tmpfs", "tmpfs", "rw,mode=755")
    found = {point: mount for point, mount in mounts.items() if mount[0].startswith("cgroup")}
    assert found == {f"{AT}/{name}": ("cgroup", "cgroup", f"rw,{option(name)}")
                     for name in HIERARCHIES}


def test_mountinfo_roots(inside):
    for line in read(inside, "/proc/self/mountinfo").splitlines():
        if " - cgroup " in line:
            assert line.split()[3] == "/"
            assert line.split()[5] == "rw,nosuid,nodev,noexec,relatime"


def test_mount_numbers_are_unique(inside):
    lines = read(inside, "/proc/self/mountinfo").splitlines()
    assert sum(" - cgroup cgroup " in line for line in lines) == len(HIERARCHIES)
    numbers = [line.split()[0] for line in lines]
    assert len(numbers) == len(set(numbers))


def test_mounts(inside):
    lines = [line for line in read(inside, "/proc/self/mounts").splitlines() if AT in line.split()[1]]
    options = "rw,nosuid,nodev,noexec,relatime"
    assert lines[0] == f"tmpfs {AT} tmpfs {options},mode=755 0 0"
    assert sorted(lines[1:]) == sorted(
        f"cgroup {AT}/{name} cgroup {options},{option(name)} 0 0" for name in HIERARCHIES)


def test_mountstats(inside):
    lines = [line for line in read(inside, "/proc/self/mountstats").splitlines() if f" {AT}" in line]
    assert lines[0] == f"device tmpfs mounted on {AT} with fstype tmpfs"
    assert sorted(lines[1:]) == sorted(
        f"device cgroup mounted on {AT}/{name} with fstype cgroup" for name in HIERARCHIES)


def test_tables_list_the_same_mounts_in_the_same_order(inside):
    mountinfo = [line.split()[4] for line in read(inside, "/proc/self/mountinfo").splitlines()]
    mounts = [line.split()[1] for line in read(inside, "/proc/self/mounts").splitlines()]
    stats = [re.search(r" mounted on (\S+) with fstype ", line)[1]
             for line in read(inside, "/proc/self/mountstats").splitlines()
             if line.startswith("device ")]
    assert mountinfo == mounts == stats
    for name in HIERARCHIES:
        assert mountinfo.count(f"{AT}/{name}") == 1


def test_nothing_tells_of_fuse_or_of_other_cgroups(inside):
    """No line of ours as what it is, none of a cgroup elsewhere, none twice."""
    type_of = {"mountinfo": r"^\S+ \S+ \S+ \S+ (\S+) .* - (\S+)", "mounts": r"^\S+ (/\S*) (\S+)",
               "mountstats": r" on (/\S*) with fstype (\S+)"}
    for name in OF_TASKS[:3]:
        text = read(inside, f"/proc/self/{name}")
        assert "fuse_cgroup_run" not in text and "cgroup2" not in text
        found = [re.search(type_of[name], line) for line in text.splitlines() if f" {AT}" in line]
        assert sorted((match[1], match[2]) for match in found) == sorted(
            [(AT, "tmpfs"), *((f"{AT}/{each}", "cgroup") for each in HIERARCHIES)]), name


def test_everything_else_is_to_the_letter(inside):
    """The other lines, against the same namespace's seen from outside: /proc of the test's own."""
    def others(text):
        return [line for line in text.splitlines() if AT not in line and "fuse_cgroup_run" not in line]

    pid = inside.call(os.getpid)
    for name in OF_TASKS[:3]:
        ours, kernels = ours_and_the_kernels(inside, name, pid)
        assert others(ours) == others(kernels), name


def test_cgroup(inside):
    lines = read(inside, "/proc/self/cgroup").splitlines()
    count = len(HIERARCHIES)
    assert lines == [f"{count - i}:{option(name)}:/" for i, name in enumerate(reversed(HIERARCHIES))]
    assert read(inside, "/proc/self/cpuset") == "/\n"


def test_cgroups(inside):
    header, *lines = read(inside, "/proc/cgroups").splitlines()
    assert header == "#subsys_name\thierarchy\tnum_cgroups\tenabled"
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in lines}
    assert list(rows) == [name for name in HIERARCHIES if name != "systemd"]
    numbers = {line.split(":")[1]: line.split(":")[0]
               for line in read(inside, "/proc/self/cgroup").splitlines()}
    for name, (hierarchy, count, enabled) in rows.items():
        assert (hierarchy, count, enabled) == (numbers[name], "1", "1"), name
    inside.call(os.mkdir, f"{AT}/cpu/child")
    assert "\ncpu\t2\t2\t1\n" in read(inside, "/proc/cgroups")
    inside.call(os.rmdir, f"{AT}/cpu/child")
    assert "\ncpu\t2\t1\t1\n" in read(inside, "/proc/cgroups")


def test_other_files_are_the_kernels(inside):
    for path in ("/proc/version", "/proc/self/comm", "/proc/sys/kernel/ostype", "/proc/cpuinfo",
                 "/proc/filesystems", "/proc/1/comm"):
        if path != "/proc/self/comm":
            with open(path, encoding="utf-8") as file:
                assert re.sub("[0-9.]+", "", read(inside, path)) == re.sub("[0-9.]+", "", file.read())
    assert read(inside, "/proc/self/comm") == "python3\n"


def test_files_of_the_same_names_elsewhere(inside):
    """Only /proc's are tables."""
    directory = inside.directory / "names"
    directory.mkdir()
    try:
        for name in (*OF_TASKS, "cgroups", "mtab", "123"):
            (directory / name).write_text(f"my own {name}\n")
            assert read(inside, f"{directory}/{name}") == f"my own {name}\n"
            assert inside.call(probes.in_directory, directory, probes.read, name) == f"my own {name}\n"
    finally:
        for file in directory.iterdir():
            file.unlink()
        directory.rmdir()


# --- who they are of ---

def test_every_way_to_a_task(inside):
    pid = inside.call(os.getpid)
    for name in OF_TASKS:
        expected = read(inside, f"/proc/self/{name}")
        for directory in ("/proc/thread-self", f"/proc/{pid}", f"/proc/{pid}/task/{pid}",
                          f"/proc/self/task/{pid}", "/proc/../proc/./self", "//proc//self"):
            if name == "mountstats" and "task" in directory or name == "mountstats" and "thread" in directory:
                assert error_of(read, inside, f"{directory}/{name}") == "ENOENT"
            else:
                assert read(inside, f"{directory}/{name}") == expected, directory
    assert read(inside, "/proc/mounts") == read(inside, "/proc/self/mounts")
    if os.path.islink("/etc/mtab"):
        assert read(inside, "/etc/mtab") == read(inside, "/proc/self/mounts")


def test_membership_follows_moves(inside, spawn):
    """A process of nobody under the launcher: its numbers in the tree are what /proc says."""
    pid = spawn()
    inside.call(os.mkdir, f"{AT}/cpu/child")
    inside.call(os.mkdir, f"{AT}/cpu/child/below")
    try:
        for path in ("/child", "/child/below", "/"):
            inside.call(write, f"{AT}/cpu{path}/cgroup.procs", str(pid))
            lines = read(inside, f"/proc/{pid}/cgroup").splitlines()
            assert f"2:cpu:{path}" in lines
            assert "8:memory:/" in lines and len(lines) == len(HIERARCHIES)
            with open(f"/proc/{pid}/cgroup", encoding="utf-8") as kernels:
                assert f"cpu:{path}\n" not in kernels.read() or path == "/"
    finally:
        inside.call(os.rmdir, f"{AT}/cpu/child/below")
        inside.call(os.rmdir, f"{AT}/cpu/child")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def test_membership_follows_forks(inside):
    status, out, err = inside.call(probes.run, "sh", "-ec", f"""
        mkdir {AT}/memory/forks
        echo $$ > {AT}/memory/forks/cgroup.procs
        sh -c 'sh -c "grep memory /proc/self/cgroup; :"; grep memory /proc/thread-self/cgroup'
        grep memory /proc/$$/cgroup
        echo $$ > {AT}/memory/cgroup.procs
        grep memory /proc/self/cgroup
        rmdir {AT}/memory/forks""")
    assert (status, err) == (0, "")
    assert out == 3 * "8:memory:/forks\n" + "8:memory:/\n"


def test_cpuset_follows(inside):
    status, out, err = inside.call(probes.run, "sh", "-ec", f"""
        mkdir {AT}/cpuset/own
        cat {AT}/cpuset/cpuset.cpus > {AT}/cpuset/own/cpuset.cpus
        cat {AT}/cpuset/cpuset.mems > {AT}/cpuset/own/cpuset.mems
        echo $$ > {AT}/cpuset/own/cgroup.procs
        cat /proc/self/cpuset
        echo $$ > {AT}/cpuset/cgroup.procs
        cat /proc/self/cpuset
        rmdir {AT}/cpuset/own""")
    assert (status, out, err) == (0, "/own\n/\n", "")


def test_threads(inside):
    """A thread moved alone: the process and the thread say different things."""
    assert inside.call(in_threads) == {
        "/proc/self": "/", "/proc/thread-self": "/thread", "/proc/{pid}": "/",
        "/proc/{pid}/task/{tid}": "/thread", "/proc/self/task/{tid}": "/thread",
        "/proc/{pid}/task/{pid}": "/"}


def in_threads():
    import threading
    found = {}

    def look():
        tid, pid = threading.get_native_id(), os.getpid()
        write(f"{AT}/cpu/thread/tasks", str(tid))
        for name in ("/proc/self", "/proc/thread-self", "/proc/{pid}", "/proc/{pid}/task/{tid}",
                     "/proc/self/task/{tid}", "/proc/{pid}/task/{pid}"):
            text = probes.read(name.format(pid=pid, tid=tid) + "/cgroup")
            found[name] = re.search("^2:cpu:(.*)$", text, re.M)[1]

    os.mkdir(f"{AT}/cpu/thread")
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    write(f"{AT}/cpu/cgroup.procs", str(os.getpid()))
    os.rmdir(f"{AT}/cpu/thread")
    return found


def test_a_process_that_has_ended(inside, spawn):
    pid = spawn()
    fd = inside.call(os.open, f"/proc/{pid}", os.O_RDONLY)
    spawn.end(pid)
    assert error_of(read, inside, f"/proc/{pid}/cgroup") == "ENOENT"
    assert error_of(inside.call, open_at, fd, "cgroup") in ("ESRCH", "ENOENT")
    inside.call(os.close, fd)


def open_at(fd, name):
    return os.open(name, os.O_RDONLY, dir_fd=fd)


@pytest.mark.parametrize("name", ["cgroup", "cpuset"])
def test_memberships_of_init(inside, name):
    assert read(inside, f"/proc/1/{name}") == read(inside, f"/proc/self/{name}")


@pytest.mark.parametrize("name", OF_TASKS[:3])
def test_mounts_of_init(inside, name):
    """A process that has nothing to do with us: its own mounts, and ours where its memberships are to be
    found."""
    point = {"mountinfo": 4, "mounts": 1, "mountstats": 4}[name]
    cgroups = {"mountinfo": r" - cgroup2? ", "mounts": r"^\S+ \S+ cgroup2? ",
               "mountstats": " with fstype cgroup2?$"}[name]
    text, kernels = ours_and_the_kernels(inside, name, 1)
    ours = [line for line in text.splitlines() if f" {AT}" in line]
    rest = [line for line in text.splitlines() if f" {AT}" not in line]
    assert rest == [line for line in kernels.splitlines() if not re.search(cgroups, line)
                    and f" {AT}" not in line]
    assert [line.split()[point] for line in ours] == [
        line.split()[point] for line in read(inside, f"/proc/self/{name}").splitlines() if f" {AT}" in line]
    if name == "mountinfo":
        numbers = [line.split()[0] for line in text.splitlines()]
        assert len(numbers) == len(set(numbers))
        assert {line.split()[1] for line in ours[1:]} == {ours[0].split()[0]}
        assert ours[0].split()[1] in numbers[:-len(ours)]
        assert [line.split(" - ")[1] for line in ours] == [
            line.split(" - ")[1] for line in read(inside, "/proc/self/mountinfo").splitlines()
            if f" {AT}" in line]


def test_clients_find_the_hierarchies_of_init(inside):
    """node_exporter and findmnt look there."""
    assert inside.call(probes.run, "findmnt", "-N", "1", "-n", "-t", "cgroup", "-o", "TARGET", "-O",
                       "memory") == (
        0, f"{AT}/memory\n", "")


def test_options_of_a_hierarchy(inside):
    """What is set at its root, where the kernel shows it: as of systemd's on a v1 machine."""
    inside.call(write, f"{AT}/systemd/release_agent", "/lib/agent,one")
    inside.call(write, f"{AT}/cpu/cgroup.clone_children", "1")
    try:
        mounts = probes.mounts(read(inside, "/proc/self/mountinfo"))
        assert mounts[f"{AT}/systemd"][2] == "rw,release_agent=/lib/agent\\054one,name=systemd"
        assert mounts[f"{AT}/cpu"][2] == "rw,cpu,clone_children"
        assert mounts[f"{AT}/memory"][2] == "rw,memory"
        lines = [line.split()[3] for line in read(inside, "/proc/mounts").splitlines()
                 if f" {AT}/cpu " in line]
        assert lines == ["rw,nosuid,nodev,noexec,relatime,cpu,clone_children"]
    finally:
        inside.call(write, f"{AT}/systemd/release_agent", "")
        inside.call(write, f"{AT}/cpu/cgroup.clone_children", "0")


def on_the_kernels_tree(function, *arguments):
    """What the function says there; nothing where the kernel has no v1 tree."""
    mounted = any(f" {AT}/memory " in line and " - cgroup " in line
                  for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines())
    return function(*arguments) if mounted else None


def test_an_exiting_process(inside):
    """A zombie is in no cgroup but the root, though its cpuset is told."""
    ours = inside.call(look_at_zombie, f"fcg-zombie-{os.getpid()}")
    assert ours == ("/NAME", "Z", "/", True)
    assert on_the_kernels_tree(look_at_zombie, f"fcg-zombie-{os.getpid()}") in (ours, None)


def look_at_zombie(name):
    import pathlib as paths
    reader, writer = os.pipe()
    group = f"{AT}/memory/{name}"
    os.mkdir(group)
    pid = os.fork()
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)

    def memory():
        return re.search("^[0-9]+:memory:(.*)$", probes.read(f"/proc/{pid}/cgroup"), re.M)[1]

    try:
        write(f"{group}/cgroup.procs", str(pid))
        alive = "/" + memory().rpartition("/")[2].replace(name, "NAME")
        os.close(writer)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        state = paths.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
        return alive, state, memory(), bool(probes.read(f"/proc/{pid}/cpuset"))
    finally:
        os.waitpid(pid, 0)
        os.close(reader)
        os.rmdir(group)
