# SPDX-License-Identifier: MIT
"""OpenJDK: what -XshowSettings:system says of the machine, every line of it."""

import os

import pytest

LIMITS = ("--memory", "512M", "--memory-swap", "1G", "--cpus", "1.5", "--cpu-shares", "2048",
          "--cpuset-cpus", "0", "--pids-limit", "100")
SEEN = {
    "Provider": "cgroupv1",
    "Effective CPU Count": "1",
    "CPU Period": "100000us",
    "CPU Quota": "150000us",
    "CPU Shares": "2048us",
    "List of Processors, 1 total": "0",
    "List of Effective Processors, 1 total": "0",
    "List of Memory Nodes, 1 total": "0",
    "List of Available Memory Nodes, 1 total": "0",
    "Memory Limit": "512.00M",
    "Memory Soft Limit": "Unlimited",
    "Memory & Swap Limit": "1.00G",
    "Maximum Processes Limit": "100",
}
# A soft limit of v2 protects, and nodes are as the parent's; 2048 shares are a weight of 174, of which it
# makes shares again, by another formula.
SEEN_OF_V2 = SEEN | {
    "Provider": "cgroupv2",
    "CPU Shares": "4096us",
    "Memory Soft Limit": "0.00K",
    "List of Memory Nodes": "N/A",
}
del SEEN_OF_V2["List of Memory Nodes, 1 total"]


def settings(tree):
    """The lines as {name: value}; a list stands on the line after its name."""
    lines = tree.run("java", "-XshowSettings:system", "-version").err.splitlines()
    assert lines[0] == "Operating System Metrics:"
    seen, name = {}, None
    for line in lines[1:lines.index("")]:
        if ":" in line:
            name, value = line.strip().split(":", 1)
            seen[name] = value.strip()
        else:
            seen[name] = line.strip()
    return seen


def test_every_line(make_tree):
    tree = make_tree(*LIMITS)
    assert settings(tree) == (SEEN if tree.version == 1 else SEEN_OF_V2)


def test_no_limits(tree):
    seen = settings(tree)
    processors = len(os.sched_getaffinity(0))
    assert seen["Provider"] == f"cgroupv{tree.version}"
    assert seen["Effective CPU Count"] == str(processors)
    assert seen["CPU Quota"] == "-1"
    assert seen["Memory Limit"] == seen["Memory & Swap Limit"] == "Unlimited"
    # With v2 nobody has chosen processors for it, so only those in effect are told.
    kind = "Processors" if tree.version == 1 else "Effective Processors"
    assert f"List of {kind}, {os.cpu_count()} total" in seen


@pytest.mark.parametrize("memory, heap", [("512M", 128 << 20), ("1g", 256 << 20)])
def test_heap_is_a_quarter_of_the_limit(make_tree, memory, heap):
    tree = make_tree("--memory", memory)
    line = tree.out("java", "-XX:+PrintFlagsFinal", "-version").split("MaxHeapSize")[1]
    assert abs(int(line.split()[1]) - heap) <= 2 << 20
