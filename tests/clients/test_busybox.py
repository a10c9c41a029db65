# SPDX-License-Identifier: MIT
"""busybox, which most small images are made of: its cat tries sendfile(2)."""


def names(text):
    """The lines without their figures, which may move."""
    return [line.split()[:-1] for line in text.splitlines()]


def test_cat(tree):
    files = (("cpu", "cpu.stat"), ("memory", "memory.stat"), ("cpuset", "cpuset.effective_cpus"))
    for path in (tree.file(*file) for file in files):
        text = tree.out("busybox", "cat", path)
        assert text.endswith("\n") and names(text) == names(tree.out("cat", path)), path


def test_size_is_the_kernels(tree):
    assert tree.out("busybox", "stat", "-c", "%s", tree.file("memory", "memory.stat")) == "0\n"
