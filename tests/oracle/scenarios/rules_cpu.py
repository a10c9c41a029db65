# SPDX-License-Identifier: MIT
"""Quota, burst, idle and real time of a cpu cgroup, given its parent's and children's."""
from harness.registry import scenario
from harness.tree import Tree


@scenario("cpu", alone=("cpu",))
def rules_cpu(stage):
    tree = Tree(stage, "cpu.")
    tree.mkdir("a", "b", "a/x", "a/x/y")
    for name, file, value in (
            (".", "cfs_quota_us", "50000"), ("a", "cfs_quota_us", "60000"),
            ("a", "cfs_quota_us", "50000"), ("b", "cfs_quota_us", "50000"),
            (".", "cfs_quota_us", "40000"), (".", "cfs_period_us", "200000"),
            (".", "cfs_period_us", "50000"), ("a", "cfs_period_us", "50000"),
            ("a", "cfs_period_us", "200000"), ("a", "cfs_quota_us", "-1"),
            (".", "cfs_quota_us", "40000"), ("b", "cfs_quota_us", "20000"),
            (".", "cfs_quota_us", "40000"), (".", "cfs_quota_us", "-1"),
            ("a/x/y", "cfs_quota_us", "30000"), ("a/x", "cfs_quota_us", "20000"),
            ("a", "cfs_quota_us", "10000"), ("a", "cfs_quota_us", "70000"),
            (".", "cfs_quota_us", "20000"), (".", "cfs_quota_us", "35000"),
            (".", "cfs_quota_us", "-1"), ("a", "cfs_quota_us", "-1"), ("a/x/y", "cfs_quota_us",
            "-1"),
            ("b", "cfs_quota_us", "-1"),
            # burst with a quota
            ("a", "cfs_period_us", "100000"), ("a", "cfs_quota_us", "50000"),
            ("a", "cfs_burst_us", "50000"), ("a", "cfs_burst_us", "50001"),
            ("a", "cfs_burst_us", "30000"), ("a", "cfs_quota_us", "20000"),
            ("a", "cfs_quota_us", "30000"), ("a", "cfs_quota_us", "-1"),
            ("a", "cfs_burst_us", "17592186044415"), ("a", "cfs_quota_us", "17592186044415"),
            ("a", "cfs_burst_us", "0"), ("a", "cfs_quota_us", "17592186044415"),
            ("a", "cfs_burst_us", "1"), ("a", "cfs_quota_us", "-1"),
            # idle and shares
            ("b", "shares", "512"), ("b", "idle", "1"), ("b", "shares", "600"),
            ("b", "shares", "512"), ("b", "shares", "3"), ("b", "idle", "1"), ("b", "idle", "0"),
            ("b", "shares", "700"), ("b", "idle", "0"),
            # real time
            ("a", "rt_runtime_us", "1000"), (".", "rt_runtime_us", "100000"),
            ("a", "rt_runtime_us", "60000"), ("b", "rt_runtime_us", "50000"),
            ("b", "rt_runtime_us", "40000"), (".", "rt_runtime_us", "90000"),
            (".", "rt_period_us", "2000000"), (".", "rt_period_us", "500000"),
            ("a", "rt_period_us", "500000"), ("a", "rt_period_us", "2000000"),
            ("a/x", "rt_runtime_us", "30000"), ("a", "rt_runtime_us", "0"),
            ("a/x", "rt_runtime_us", "0"), ("a", "rt_runtime_us", "0"), ("b", "rt_runtime_us", "0"),
            ("a", "rt_runtime_us", "-1"), (".", "rt_runtime_us", "0"), ("a", "rt_runtime_us", "1")):
        tree.write(name, file, value)
    tree.read("b", "shares", "idle")
