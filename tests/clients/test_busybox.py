# SPDX-License-Identifier: MIT
"""busybox, which most small images are made of: its cat tries sendfile(2)."""

import trees


def names(text):
    """The lines without their figures, which may move."""
    return [line.split()[:-1] for line in text.splitlines()]


def test_cat(tree):
    for file in ("cpu/cpu.shares", "memory/memory.stat", "memory/memory.limit_in_bytes"):
        path = f"{trees.STANDARD}/{file}"
        text = tree.out("busybox", "cat", path)
        assert text.endswith("\n") and names(text) == names(tree.out("cat", path)), path


def test_size_is_the_kernels(tree):
    assert tree.out("busybox", "stat", "-c", "%s", f"{trees.STANDARD}/memory/memory.stat") == "0\n"
