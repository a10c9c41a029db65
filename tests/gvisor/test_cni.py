# SPDX-License-Identifier: MIT
"""The network plugin in a sandbox, whose own network is the node's."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cni"))
import node as nodes  # pylint: disable=wrong-import-position


class Sandbox(nodes.Namespace):
    """Where we are."""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.path = "/proc/self/ns/net"

    def enter(self, *command):
        return list(map(str, command))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes network namespaces")
def test_pods_reach_node_and_each_other(tmp_path):
    sandbox = Sandbox()
    network = nodes.Network(sandbox, tmp_path, mode="ptp")
    with nodes.namespaces(2) as (pod, other):
        result = network.add("one", pod)
        network.add("two", other)
        assert nodes.addresses(result) == pod.links()["eth0"] == ["10.88.0.2/24"]
        assert pod.answers("10.88.0.2", sandbox) == "10.88.0.1"
        assert pod.answers("10.88.0.2", other) == "10.88.0.3"
        assert sandbox.answers("10.88.0.1", pod) == "10.88.0.2"
        network.run("CHECK", "one", pod.path, prevResult=result)
        for name, namespace in (("one", pod), ("two", other)):
            network.delete(name, namespace)
        assert "eth0" not in pod.links() and network.kept() == {}
        assert not [name for name in sandbox.links() if name.startswith("fcg")]
