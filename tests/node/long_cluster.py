# SPDX-License-Identifier: MIT
"""A cluster of Kubernetes 1.30 and one of 1.35, on cgroup v1 and v2: what users run, and its figures."""

import contextlib
import shutil

import pytest

import cluster
from node import own_directory
import trees
import workloads

KINDS = [(release, cgroups) for release in ("1.30", "1.35") for cgroups in ("v1", "v2")]


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def running(request):
    """The node, while what it belongs to runs."""
    release, cgroups = request.param
    directory = own_directory("cluster")
    with contextlib.ExitStack() as undo:
        undo.callback(shutil.rmtree, directory)
        undo.callback(trees.end_rest)
        network = cluster.Network()
        undo.callback(network.end)
        plane = cluster.ControlPlane(cluster.programs_of(release), directory / "plane", network)
        undo.callback(plane.end)
        plane.start_all()
        node = cluster.Node(directory, plane, cgroups)
        undo.callback(node.kill)
        yield node


@pytest.mark.parametrize("check", workloads.CHECKS, ids=lambda check: check.__name__)
def test_workload(running, check, capsys):
    measured = check(running.cluster)
    if measured:
        with capsys.disabled():
            print(f"\n{running.cluster.version}\n{measured}")


def test_end(running):
    """No error about cgroups; Ctrl-C ends the node with a pod on it, and nothing is left."""
    assert not running.errors()
    running.cluster.kubectl("run", "last", "--image", "localhost/busybox:static",
                            "--image-pull-policy", "Never", "--", "sleep", "100000")
    running.cluster.until(lambda: "running" in running.cluster.status("last").get("state", {}), "a pod runs")
    assert running.interrupt(alone=False) == 130, running.text()
    trees.until(lambda: not running.processes(), "no process is left")
    assert not running.left_on_machine()
