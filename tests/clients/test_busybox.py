"""busybox, which most small images are made of: its cat copies with sendfile(2)."""

import trees


def test_cat(tree):
    for file in ("cpu/cpu.shares", "memory/memory.stat", "memory/memory.limit_in_bytes"):
        text = tree.out("busybox", "cat", f"{trees.STANDARD}/{file}")
        names = [line.split()[:-1] for line in text.splitlines()]
        read = [line.split()[:-1] for line in tree.out("cat", f"{trees.STANDARD}/{file}").splitlines()]
        assert text.endswith("\n") and names == read, file


def test_size_is_the_kernels(tree):
    assert tree.out("busybox", "stat", "-c", "%s", f"{trees.STANDARD}/memory/memory.stat") == "0\n"
