# SPDX-License-Identifier: MIT
"""The scenarios, and which hierarchies each of them is played on."""

HIERARCHIES = ("blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb", "memory",
               "net_cls", "net_prio", "perf_event", "pids", "systemd")
SCENARIOS = {}


class Scenario:
    def __init__(self, name, function, hierarchies, needs, alone):
        self.name = name
        self.function = function
        self.hierarchies = hierarchies
        self.needs = needs  # machine facts that must be the recording's
        self.alone = alone  # hierarchies where other cgroups beside ours change the answers


def scenario(*hierarchies, needs=(), alone=()):
    """Registers a function (stage) as a scenario, by default on every hierarchy."""
    def register(function):
        name = function.__name__
        assert name not in SCENARIOS
        SCENARIOS[name] = Scenario(name, function, hierarchies or HIERARCHIES, needs, alone)
        return function
    return register
