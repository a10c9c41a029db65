# SPDX-License-Identifier: MIT
"""stat -f, and what else tells a filesystem's type."""

import pytest

import trees

# type, block sizes, blocks, free, available, inodes, free inodes, longest name
CGROUP = "27e0eb 4096 4096 0 0 0 0 0 255"
CGROUP2 = CGROUP.replace("27e0eb", "63677270")
FORMAT = "%t %s %S %b %f %a %c %d %l"


pytestmark = pytest.mark.version(1)


def test_type_and_figures(tree):
    for hierarchy in trees.HIERARCHIES:
        directory = f"{trees.STANDARD}/{hierarchy}"
        tree.run("mkdir", f"{directory}/{tree.unique}")
        paths = (directory, f"{directory}/tasks", f"{directory}/{tree.unique}",
                 f"{directory}/{tree.unique}/cgroup.procs")
        lines = tree.out("stat", "-f", "-c", FORMAT, *paths).splitlines()
        assert lines == [CGROUP] * len(paths), directory
        assert tree.out("stat", "-f", "-c", "%T", directory).strip() == "cgroupfs"
        tree.run("rmdir", f"{directory}/{tree.unique}")


def test_top_is_tmpfs(tree):
    assert tree.out("stat", "-f", "-c", "%t %T", trees.STANDARD).split() == ["1021994", "tmpfs"]
    assert tree.out("findmnt", "-n", "-o", "FSTYPE", trees.STANDARD).strip() == "tmpfs"


def test_findmnt_lists_every_hierarchy(tree):
    lines = tree.out("findmnt", "-rn", "-t", "cgroup", "-o", "TARGET,FSTYPE,FS-OPTIONS,FSROOT")
    found = {}
    for line in lines.splitlines():
        target, kind, options, root = line.split()
        assert (kind, root) == ("cgroup", "/"), line
        found[target.removeprefix(trees.STANDARD + "/")] = set(options.split(","))
    assert set(found) == set(trees.HIERARCHIES)
    for hierarchy, options in found.items():
        assert ("name=systemd" if hierarchy == "systemd" else hierarchy) in options


def test_tables_agree(tree):
    ours = [line for line in tree.out("cat", "/proc/self/mountinfo").splitlines()
            if f" {trees.STANDARD}" in line]
    assert len(ours) == 1 + len(trees.HIERARCHIES) and not any("fuse" in line for line in ours)
    listed = [line.split()[2] for line in tree.out("cat", "/proc/mounts").splitlines()
              if f" {trees.STANDARD}/" in line]
    assert listed == ["cgroup"] * len(trees.HIERARCHIES)
    controllers = {line.split()[0]: line.split()[3]
                   for line in tree.out("cat", "/proc/cgroups").splitlines()[1:]}
    for hierarchy in trees.HIERARCHIES:
        if hierarchy != "systemd":
            assert controllers[hierarchy] == "1", hierarchy


def df(tree):
    """What df lists. It fails where the machine has a dead mount of somebody else's, which is not ours."""
    listed = tree.run("df", status=None).out
    assert listed.startswith("Filesystem")
    return listed


def test_df_takes_it_for_a_pseudo_filesystem(tree):
    assert trees.STANDARD + "/memory" not in df(tree)
    assert trees.STANDARD + "/memory" in tree.out("df", "-a", "-t", "cgroup")


@pytest.mark.version(2)
def test_unified(tree):
    """One mount, of which everything is cgroup2."""
    tree.run("mkdir", f"{trees.STANDARD}/{tree.unique}")
    paths = [f"{trees.STANDARD}/{name}" for name in
             ("", "cgroup.procs", tree.unique, f"{tree.unique}/cgroup.procs")]
    assert tree.out("stat", "-f", "-c", FORMAT, *paths).splitlines() == [CGROUP2] * len(paths)
    assert tree.out("stat", "-f", "-c", "%T", trees.STANDARD).strip() == "cgroup2fs"
    tree.run("rmdir", f"{trees.STANDARD}/{tree.unique}")
    line, = tree.out("findmnt", "-rn", "-t", "cgroup,cgroup2", "-o", "TARGET,FSTYPE,FSROOT").splitlines()
    assert line.split() == [trees.STANDARD, "cgroup2", "/"]
    assert "fuse" not in "".join(line for line in tree.out("cat", "/proc/self/mountinfo").splitlines()
                                 if f" {trees.STANDARD}" in line)
    assert trees.STANDARD not in df(tree)
    assert trees.STANDARD in tree.out("df", "-a", "-t", "cgroup2")
