# SPDX-License-Identifier: MIT
"""Limits of memory against each other and along the tree."""
from harness import ops
from harness.registry import scenario
from harness.tree import Tree


@scenario("memory")
def rules_memory(stage):
    tree = Tree(stage, "memory.")
    every = [(".", "limit_in_bytes"), (".", "memsw.limit_in_bytes")]
    for file, value in (
            ("limit_in_bytes", "100M"), ("memsw.limit_in_bytes", "50M"),
            ("memsw.limit_in_bytes", "100M"), ("memsw.limit_in_bytes", "150M"),
            ("limit_in_bytes", "160M"), ("limit_in_bytes", "150M"), ("limit_in_bytes", "-1"),
            ("memsw.limit_in_bytes", "149M"), ("memsw.limit_in_bytes", "-1"),
            ("limit_in_bytes", "-1"), ("memsw.limit_in_bytes", "100M"), ("limit_in_bytes", "100M"),
            ("memsw.limit_in_bytes", "100M"), ("limit_in_bytes", "0"), ("memsw.limit_in_bytes",
            "0"),
            ("limit_in_bytes", "4096"), ("memsw.limit_in_bytes", "-1"), ("limit_in_bytes", "-1")):
        tree.write(".", file, value, *every)
    tree.write(".", "limit_in_bytes", "100M")
    tree.mkdir("a", "a/x")
    limit = lambda text: " ".join(  # noqa: E731
        line for line in text.split("\\n") if line.startswith("hierarchical"))
    for name, file, value in (
            ("a", "limit_in_bytes", "200M"), ("a/x", "limit_in_bytes", "50M"),
            (".", "limit_in_bytes", "80M"), ("a", "memsw.limit_in_bytes", "300M"),
            (".", "memsw.limit_in_bytes", "90M"), ("a", "soft_limit_in_bytes", "1G"),
            ("a", "use_hierarchy", "0"), ("a", "use_hierarchy", "1"), (".", "use_hierarchy", "0"),
            ("a", "swappiness", "10"), ("a", "oom_control", "1"),
            ("a", "kmem.limit_in_bytes", "10M"), ("a", "kmem.tcp.limit_in_bytes", "10M"),
            (".", "kmem.tcp.limit_in_bytes", "5M"), ("a", "kmem.tcp.limit_in_bytes", "-1"),
            ("a", "move_charge_at_immigrate", "1")):
        tree.write(name, file, value)
        for each in ("a", "a/x"):
            stage.note(f"limits in {each}/stat", limit(ops.read(tree.path(each, "stat"))))
    tree.mkdir("a/y")
    tree.read("a/y", "limit_in_bytes", "memsw.limit_in_bytes", "soft_limit_in_bytes",
              "kmem.tcp.limit_in_bytes", "swappiness", "oom_control", "use_hierarchy",
              "move_charge_at_immigrate")
    tree.write("a", "oom_control", "0")
    tree.mkdir("a/z")
    tree.read("a/z", "oom_control")
    tree.write("a", "force_empty", "0")
