# SPDX-License-Identifier: MIT
"""Unmodified clients of containers and cgroups, on the kernel's tree and on ours."""

import pathlib

import pytest

import trees
import unified


def pytest_addoption(parser):
    parser.addoption("--tree", action="append", choices=trees.NAMES,
                     help="only on this tree (kernel, away, beside, led, v2, v2-led)")


def pytest_configure(config):
    names = config.getoption("--tree")
    if not names:
        names = [name for name in trees.NAMES if name != "kernel" or trees.kernel_has_v1()]
    config.tree_names = names
    config.addinivalue_line("markers", "version(NUMBER): about trees of this version of cgroups only")
    trees.become_reaper()


def pytest_generate_tests(metafunc):
    if "tree_name" in metafunc.fixturenames:
        version = metafunc.definition.get_closest_marker("version")
        metafunc.parametrize("tree_name", [
            name for name in metafunc.config.tree_names
            if not version or name.startswith("v2") == (version.args[0] == 2)])


def pytest_collection_modifyitems(items):
    here = pathlib.Path(__file__).parent
    reason = trees.why_not()
    for item in items:
        if reason and here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def make_tree(tree_name):
    """Makes a tree, with the launcher's options where it is ours; nothing may be left of it."""
    made = []

    def make(*options):
        kind = unified.Tree if tree_name.startswith("v2") else trees.Tree
        made.append(kind(tree_name, *options))
        return made[-1]

    yield make
    for tree in made:
        tree.leave()
    left = trees.end_rest()
    for tree in made:
        tree.clean()
    assert not left, "processes left behind"


@pytest.fixture
def tree(make_tree):
    return make_tree()
