# SPDX-License-Identifier: MIT
"""A node in a sandbox without the launcher: the kubelet's script with --native, on gVisor's own cgroups with
ours bound over each. tests/gvisor/inside_node.sh runs it there."""

import re
import shutil

import pytest

import figures
import long_gvisor
from node import own_directory
import workloads

COUNT = 3


@pytest.fixture(scope="module")
def node():
    directory = own_directory("native")
    running = None
    try:
        running = long_gvisor.Node(directory, "--native")
        yield running
    finally:
        if running:
            print(running.text())
            running.kill()
        shutil.rmtree(directory)


def names():
    return [f"pod{i}" for i in range(COUNT)]


def test_pods(node):
    print(f"\nthe kubelet answers after {node.seconds():.0f} s")
    for name in names():
        node.put(name, f"echo begun {name}; {workloads.SLEEP}", host=name == "pod0")
    node.cluster.until(lambda: node.running() == set(names()), "all run")
    print(f"{COUNT} pods run {node.seconds():.0f} s after the script began")
    assert not node.find_all("fuse_cgroup_run")
    for name in names():
        place = figures.container_cgroup(node.cluster.get("pod", name))
        assert node.read(f"memory/{place}/cgroup.procs")
        lines = node.cluster.run_in(name, "cat", "/proc/self/cgroup").splitlines()
        assert {line.rpartition(":")[2] for line in lines if ":job:" not in line} == {f"/{place}"}


def value(text, name, labels):
    found = re.search(rf"^{name}{{[^}}]*{labels}[^}}]*}} (\S+)", text, re.MULTILINE)
    return float(found[1]) if found else 0


def test_cadvisor(node):
    """The root's figures and a container's."""
    container = f'id="/{figures.container_cgroup(node.cluster.get("pod", "pod1"))}"'

    def told():
        text = node.get("metrics/cadvisor") or ""
        return all(value(text, name, labels) > 0 for labels in ('id="/"', container) for name in
                   ("container_cpu_usage_seconds_total", "container_memory_working_set_bytes"))

    node.cluster.until(told, "cAdvisor tells of both")


def test_rest(node):
    long_gvisor.rest(node, set(names()), long_gvisor.REST_SECONDS, launched=False)
    assert not node.interrupted()


def test_figures(node):
    node.put("burner", figures.COMMAND, resources={"requests": {"cpu": f"{figures.ASKED}m"}})
    node.cluster.until(lambda: "burner" in node.running(), "the burner runs")
    print(f"\n{figures.check_figures(node.cluster)}")


def test_end(node):
    for file in node.pods.iterdir():
        file.unlink()
    node.cluster.until(lambda: node.get("pods") and not node.all(), "all pods are deleted")
    node.cluster.until(node.has_no_pods, "their cgroups are gone")
    assert not node.errors(), "\n".join(node.errors())
    assert node.interrupt() == 130, node.text()
