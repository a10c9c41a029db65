# SPDX-License-Identifier: MIT
"""CPUs and nodes of a cpuset within the parent's and beside the siblings'."""
from harness.registry import scenario
from harness.tree import Tree


@scenario("cpuset", needs=("cpus", "mems"), alone=("cpuset",))
def rules_cpuset(stage):
    tree = Tree(stage, "cpuset.")
    tree.mkdir("a", "b")
    every = [("a", "effective_cpus"), ("b", "effective_cpus")]
    for name, file, value in (
            ("a", "cpus", "0"), ("a", "mems", "0"), (".", "cpus", "0-1"), (".", "mems", "0"),
            ("a", "cpus", "0"), ("a", "mems", "0"), ("b", "cpus", "0-1"), (".", "cpus", "0"),
            ("b", "cpus", "1"), (".", "cpus", "0"), (".", "cpus", "\n"), (".", "mems", "\n"),
            ("a", "cpu_exclusive", "1"), (".", "cpu_exclusive", "1"), ("a", "cpu_exclusive", "1"),
            ("b", "cpus", "0-1"), ("b", "cpus", "1"), ("b", "cpu_exclusive", "1"),
            ("a", "cpus", "0-1"), (".", "cpu_exclusive", "0"), ("a", "cpu_exclusive", "0"),
            ("b", "cpu_exclusive", "0"), (".", "cpu_exclusive", "0"),
            ("b", "mems", "0"), ("a", "mem_exclusive", "1"), (".", "mem_exclusive", "1"),
            ("a", "mem_exclusive", "1"), ("b", "mems", "\n"), ("a", "mem_exclusive", "1"),
            ("b", "mems", "0"), (".", "mem_exclusive", "0"), ("a", "mem_exclusive", "0"),
            (".", "mem_exclusive", "0"), ("a", "mem_hardwall", "1"), ("a", "memory_migrate", "1"),
            ("a", "memory_spread_page", "1"), ("a", "memory_spread_slab", "1"),
            ("a", "sched_load_balance", "0"), ("a", "sched_relax_domain_level", "2")):
        tree.write(name, file, value, *every)
    tree.mkdir("a/x")
    tree.read("a/x", "cpus", "mems", "effective_cpus", "effective_mems", "cpu_exclusive",
              "mem_exclusive", "mem_hardwall", "memory_migrate", "memory_spread_page",
              "memory_spread_slab", "sched_load_balance", "sched_relax_domain_level")
    tree.write("a", "=cgroup.clone_children", "1")
    tree.mkdir("a/y", "a/y/z")
    for name in "a/y", "a/y/z":
        tree.read(name, "cpus", "mems", "=cgroup.clone_children", "memory_spread_page",
            "mem_hardwall",
                  "memory_migrate", "sched_load_balance")
    tree.write("a", "cpus", "1")
    tree.write("a/y/z", "cpus", "\n")
    tree.write("a/y", "cpus", "\n")
    tree.write("a", "cpus", "1", ("a/x", "effective_cpus"), ("a/y", "effective_cpus"))
    tree.write("a/x", "cpus", "0")
    tree.write("a/x", "cpus", "1")
    tree.write("a", "cpus", "\n")
    tree.rmdir("a/y/z", "a/y", "a/x")
    tree.write("a", "=cgroup.clone_children", "1")
    tree.write("a", "cpu_exclusive", "0")
    tree.write(".", "cpu_exclusive", "1")
    tree.write("b", "cpus", "0")
    tree.write("a", "cpus", "1")
    tree.write("a", "cpu_exclusive", "1")
    tree.mkdir("a/e")
    tree.read("a/e", "cpus", "mems", "cpu_exclusive")
    tree.mkdir("a/f")
    tree.read("a/f", "cpus", "mems", "cpu_exclusive")
    tree.write("a/e", "cpu_exclusive", "1")
    tree.mkdir("a/g")
    tree.read("a/g", "cpus", "mems")
