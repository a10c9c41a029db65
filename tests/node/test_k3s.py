# SPDX-License-Identifier: MIT
"""The script for k3s, with a program in its place that says how it was started."""

import pytest

import node
import trees

FAKE = """#!/bin/sh
[ "$1" != ctr ] || exit 0
printf '%s\\n' "$@" >"$WORDS"
stat -f -c %T /sys/fs/cgroup/memory >>"$WORDS"
[ -z "${FAKE_STATUS:-}" ] || { echo "the end of k3s" >&2; exit "$FAKE_STATUS"; }
exec sleep 1000
"""
SCRIPT = "run-k3s-with-fuse-cgroups.sh"


@pytest.fixture
def start(tmp_path):
    if trees.why_not():
        pytest.skip(trees.why_not())
    trees.become_reaper()
    started = []
    program = tmp_path / "k3s"
    program.write_text(FAKE)
    program.chmod(0o755)

    def run(*words, **environment):
        environment = {"K3S": str(program), "WORDS": str(tmp_path / "words"), **environment}
        started.append(node.Node(SCRIPT, tmp_path, *words, **environment))
        return started[-1]

    yield run
    for each in started:
        each.kill()


def test_options_and_interrupt(start, tmp_path):
    running = start("--node-name", "a b")
    trees.until(lambda: (tmp_path / "words").exists() and
                (tmp_path / "words").read_text().endswith("cgroupfs\n"), "k3s runs in the tree")
    words = (tmp_path / "words").read_text().splitlines()
    state = str(next(running.temporary.glob("kube-node.*")))
    assert words[0] == "server" and words[-3:] == ["--node-name", "a b", "cgroupfs"]
    assert words[words.index("--data-dir") + 1] == f"{state}/k3s"
    assert words[words.index("--snapshotter") + 1] == "native"
    assert "cgroup-driver=cgroupfs" in words
    assert running.interrupt() == 130, running.text()


def test_k3s_from_path(start, tmp_path):
    running = start(K3S="", PATH=f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin")
    trees.until(lambda: (tmp_path / "words").exists(), "k3s runs")
    assert running.interrupt() == 130, running.text()


def test_no_k3s(start):
    running = start(K3S="/nowhere/k3s")
    assert running.wait() == 1
    assert "there is no /nowhere/k3s: put k3s into PATH or name it with K3S=" in running.text()


def test_k3s_that_ends(start):
    """Its last words are shown, and everything is undone."""
    running = start(FAKE_STATUS="3")
    assert running.wait() == 1
    assert "the end of k3s" in running.text() and "k3s ended with status 3" in running.text()


def test_help(start):
    running = start("--help")
    assert running.wait() == 0 and "Usage: run-k3s-with-fuse-cgroups.sh" in running.text()
