# SPDX-License-Identifier: MIT
"""The network plugin, on a node whose network is a namespace of its own."""

import pytest

import node as nodes


def namespace():
    with nodes.namespaces(1) as made:
        yield made[0]


node = pytest.fixture(namespace, name="node")
pod = pytest.fixture(namespace, name="pod")
other = pytest.fixture(namespace, name="other")


@pytest.fixture
def network(node, tmp_path):
    return nodes.Network(node, tmp_path)
