# SPDX-License-Identifier: MIT
"""Names, types and metadata of a hierarchy's root, a child and a grandchild."""
import os
import re
import stat

from harness.machine import MACHINE
from harness.registry import scenario


def _one_size(name):
    """hugetlb's files are there once a size the machine has."""
    return re.sub(r"^hugetlb\.\d+[KMG]B\.", "hugetlb.<size>.", name)


def _metadata(path):
    info = os.lstat(path)
    kind = "dir" if stat.S_ISDIR(info.st_mode) else "file" if stat.S_ISREG(info.st_mode) else "?"
    return (f"{kind} mode={info.st_mode:o} size={info.st_size} nlink={info.st_nlink}"
            f" blksize={info.st_blksize} blocks={info.st_blocks}"
            f" uid={info.st_uid} gid={info.st_gid}")


def _list(stage, where, path):
    names = stage.names(path)
    stage.note(f"{where} names", " ".join(sorted({_one_size(name) for name in names})))
    seen = {}
    for name in names:
        seen.setdefault(_one_size(name), set()).add(_metadata(os.path.join(path, name)))
    for name, answers in seen.items():
        stage.note(f"{where}/{name}", " | ".join(sorted(answers)))
    if stage.hierarchy == "hugetlb":
        sizes = {name.split(".")[1] for name in names if name.startswith("hugetlb.")}
        stage.note(f"{where} has the machine's page sizes", str(sizes == set(MACHINE.hugepages)))


@scenario()
def listing(stage):
    root = _metadata(stage.root)
    stage.note("root", re.sub("nlink=[0-9]+", "nlink=<n>", root))
    _list(stage, "root", stage.root)
    child = stage.cgroup()
    stage.note("child", _metadata(child))
    _list(stage, "child", child)
    grandchild = child + "/grandchild"
    stage.attempt("mkdir grandchild", os.mkdir, grandchild)
    stage.note("child after mkdir", _metadata(child))
    stage.note("grandchild", _metadata(grandchild))
    _list(stage, "grandchild", grandchild)
    stage.attempt("rmdir grandchild", os.rmdir, grandchild)
    stage.note("child after rmdir", _metadata(child))


@scenario()
def identity(stage):
    """Inodes, devices and directory entry types are consistent."""
    child = stage.cgroup()
    entries = [entry for entry in os.scandir(child)]
    stage.note("inode of entry is that of stat",
               str(all(entry.inode() == os.stat(entry.path).st_ino for entry in entries)))
    inodes = [os.stat(entry.path).st_ino for entry in entries] + [os.stat(child).st_ino]
    stage.note("inodes are distinct", str(len(set(inodes)) == len(inodes)))
    stage.note("no inode is 0", str(0 not in inodes))
    stage.note("types of entries", str(sorted({(e.is_file(), e.is_dir()) for e in entries})))
    devices = {os.stat(entry.path).st_dev for entry in entries} | {os.stat(stage.root).st_dev}
    stage.note("one device", str(len(devices)))
    first = os.stat(child + "/tasks")
    stage.note("inode stays", str(first.st_ino == os.stat(child + "/tasks").st_ino))
    stage.note("times are of creation",
               str(first.st_mtime == first.st_ctime and first.st_mtime <= first.st_atime))
    with os.scandir(child) as twice:
        stage.note("a second listing is the same",
                   str(sorted(e.name for e in twice) == sorted(e.name for e in entries)))


@scenario()
def access(stage):
    """access(2) as root."""
    child = stage.cgroup()
    for where, path in (("root", stage.root), ("child", child)):
        for name in [""] + stage.names(path):
            rights = [letter for letter, mode in (("r", os.R_OK), ("w", os.W_OK), ("x", os.X_OK))
                      if os.access(os.path.join(path, name), mode)]
            stage.note(f"{where}/{_one_size(name)} access", "".join(rights))
        stage.note(f"{where}/missing access", str(os.access(path + "/missing", os.F_OK)))
