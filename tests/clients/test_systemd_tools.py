# SPDX-License-Identifier: MIT
"""systemd-cgtop and systemd-cgls, and ps, which show who is in which cgroup."""

import re

import pytest

import oci
import trees

IN = ("cpuacct", "memory", "pids", "systemd", "cpu")


@pytest.fixture
def busy(tree):
    """A process that uses processor time and memory, in a cgroup; gives its pid and the cgroup."""
    name = f"{tree.unique}/a"
    tree.make_cgroup(name, IN)
    enter = "".join(f"echo $$ >{tree.file(hierarchy, name)}/cgroup.procs; " for hierarchy in IN)
    pid = tree.start("sh", "-c", enter + oci.BUSY, log="/dev/null")
    trees.until(lambda: int(tree.read("memory", name, "memory.usage_in_bytes")) > 8_000_000 and
                tree.processes(IN[-1], name) == {pid}, "it is in its cgroup and uses memory")
    yield pid, name
    tree.stop(pid)
    tree.remove_cgroup(name)


def test_cgtop(tree, busy):
    """The second of two rounds shows what was used in between."""
    _, name = busy
    out = tree.out("systemd-cgtop", "-b", "-n", "2", "-d", "1s", "--depth", "4", "--raw")
    rows = [line.split() for line in out.splitlines() if line.startswith(f"/{name} ")]
    assert len(rows) == 2, out
    _, tasks, cpu, memory = rows[1][:4]
    assert tasks == "1"
    assert 5 < float(cpu) <= 110, "per cent of a processor"
    assert 8_000_000 < int(memory) < 64 << 20
    root = [line.split() for line in out.splitlines() if line.startswith("/ ")][-1]
    assert float(root[2]) >= float(cpu) * 0.8
    if tree.version == 1:  # the root of v2 has no such file, and in a container the tool looks nowhere else
        assert int(root[3]) > int(memory)


def test_cgtop_orders_by_time(tree, busy):
    _, name = busy
    out = tree.out("systemd-cgtop", "-b", "-n", "2", "-d", "200ms", "--cpu=time", "--raw", "--order=path")
    used = {line.split()[0]: line.split()[2] for line in out.splitlines() if line}
    assert int(used["/"]) > int(used[f"/{name}"]) > 0


def test_cgls(tree, busy):
    pid, name = busy
    leaf = re.compile(rf"└─a( \(#\d+\))?:?\n +└─ ?{pid} sh -c")
    controller = [f"cpu:/{tree.unique}"] if tree.version == 1 else [f"/{tree.unique}"]
    for words in (controller, [tree.file("memory", tree.unique)], []):
        out = tree.out("systemd-cgls", "--no-pager", *words)
        assert leaf.search(out), out
    assert re.search(rf"─{tree.unique}( \(#\d+\))?\n", out), "the whole tree is of name=systemd"


def test_ps(tree, busy):
    pid, name = busy
    paths = tree.memberships(tree.out("ps", "-ww", "-o", "cgroup=", "-p", pid).strip().replace(",", "\n"))
    assert paths["memory"] == paths["systemd"] == f"/{name}"
