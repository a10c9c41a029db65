# SPDX-License-Identifier: MIT
"""Node: process.constrainedMemory(), and what its heap is made of it."""

import json

PROGRAM = """
console.log(JSON.stringify({
    constrained: process.constrainedMemory(),
    processors: os.availableParallelism(),
    heap: v8.getHeapStatistics().heap_size_limit,
}))"""


def seen(tree):
    return json.loads(tree.out("node", "-e", PROGRAM))


def test_limits(make_tree):
    small = seen(make_tree("--memory", "512M"))
    assert small["constrained"] == 512 << 20
    assert small["heap"] < 512 << 20
    assert seen(make_tree("--memory", "1g"))["constrained"] == 1 << 30


def test_processors(make_tree):
    assert seen(make_tree("--cpuset-cpus", "0", "--memory", "1g"))["processors"] == 1
