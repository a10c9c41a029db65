# SPDX-License-Identifier: MIT
"""libcgroup's tools: cgcreate, cgset, cgget, cgexec, cgclassify, lscgroup, lssubsys, cgdelete."""

import trees


def test_tools(tree):
    (check_unified if tree.version == 2 else check)(tree)


def check_unified(tree):
    """cgcreate enables controllers below the root only, where on most machines systemd has."""
    name = f"{tree.unique}/a"
    tree.run("sh", "-c", f"echo +cpu +memory +cpuset >{trees.STANDARD}/cgroup.subtree_control")
    tree.run("cgcreate", "-g", f"cpu,memory:{name}")
    assert tree.read("", tree.unique, "cgroup.subtree_control") == "cpu memory"
    tree.run("cgset", "-r", "cpu.weight=300", "-r", "memory.max=64M", name)
    assert tree.read("", name, "cpu.weight") == "300"
    assert tree.out("cgget", "-n", "-r", "memory.max", "-r", "cpu.weight", name) == (
        f"memory.max: {64 << 20}\ncpu.weight: 300\n")
    assert "cpu.max: max 100000" in tree.out("cgget", "-g", f"cpu:{name}").splitlines()
    refused = tree.run("cgset", "-r", "cpu.weight=many", name, status=None)
    assert refused.status != 0 and "Invalid argument" in refused.err
    assert tree.out("cgexec", "-g", f"cpu,memory:{name}", "cat", "/proc/self/cgroup") == f"0::/{name}\n"
    pid = tree.start("sleep", "1000", log="/dev/null")
    tree.run("cgclassify", "-g", f"cpu,memory:{name}", pid)
    assert tree.processes("", name) == {pid}
    # It would move the process up, where controllers are enabled for those below: nobody may be there.
    busy = tree.run("cgdelete", f"cpu:{name}", status=None)
    assert busy.status != 0 and "busy" in busy.err and tree.holding(name)
    tree.stop(pid)
    mine = [line for line in tree.out("lscgroup").splitlines() if line.endswith(f":/{name}")]
    assert len(mine) == 1 and "memory" in mine[0]
    tree.run("cgdelete", "-r", f"memory:{tree.unique}")
    assert not tree.holding(tree.unique)


def check(tree):
    name = f"{tree.unique}/a"
    both = f"cpu,memory:{name}"
    tree.run("cgcreate", "-g", both, "-g", f"cpuset:{tree.unique}")
    assert tree.holding(name) == ["cpu", "memory"]
    assert tree.holding(tree.unique) == ["cpu", "cpuset", "memory"]

    tree.run("cgset", "-r", "cpu.shares=300", "-r", "memory.limit_in_bytes=64M", name)
    assert tree.read("cpu", name, "cpu.shares") == "300"
    assert tree.out("cgget", "-n", "-r", "memory.limit_in_bytes", "-r", "cpu.shares", name) == (
        f"memory.limit_in_bytes: {64 << 20}\ncpu.shares: 300\n")
    lines = tree.out("cgget", "-g", f"cpu:{name}").splitlines()
    assert lines[0] == f"{name}:" and "cpu.cfs_period_us: 100000" in lines
    refused = tree.run("cgset", "-r", "cpu.shares=many", name, status=None)
    assert refused.status != 0 and "Invalid argument" in refused.err

    inside = tree.out("cgexec", "-g", both, "cat", "/proc/self/cgroup").splitlines()
    paths = {line.split(":")[1]: line.split(":")[2] for line in inside}
    assert paths["cpu"] == paths["memory"] == f"/{name}" and paths["cpuset"] == "/"
    pid = tree.start("sleep", "1000", log="/dev/null")
    tree.run("cgclassify", "-g", both, pid)
    assert tree.processes("cpu", name) == tree.processes("memory", name) == {pid}
    busy = tree.run("cgdelete", f"cpu:{name}", status=None)
    assert tree.holding(name) == ["memory"] and busy.status == 0  # it moves what is in it
    assert pid in tree.processes("cpu", tree.unique)
    tree.stop(pid)

    listed = tree.out("lscgroup").splitlines()
    mine = {line for line in listed if tree.unique in line}
    assert mine == {f"cpu:/{tree.unique}", f"cpuset:/{tree.unique}", f"memory:/{tree.unique}",
                    f"memory:/{name}"}
    assert {f"{hierarchy}:/" for hierarchy in trees.HIERARCHIES if hierarchy != "systemd"
            } <= set(listed)
    mounted = dict(line.split() for line in tree.out("lssubsys", "-am").splitlines() if " " in line)
    for hierarchy in trees.HIERARCHIES:
        if hierarchy != "systemd":
            assert mounted[hierarchy] == f"{trees.STANDARD}/{hierarchy}"

    tree.run("cgdelete", "-r", f"memory:{tree.unique}")
    tree.run("cgdelete", "-r", f"cpu:{tree.unique}")
    tree.run("cgdelete", f"cpuset:{tree.unique}")
    assert not tree.holding(tree.unique)
