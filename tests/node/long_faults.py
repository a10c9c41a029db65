# SPDX-License-Identifier: MIT
"""What a node does when a part of it is killed and when its disk is full, on cgroup v1 and v2: as
docs/kubernetes.md says."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

import soak
import test_k3s
from node import own_directory
from test_kubelet import kill
import trees

start = test_k3s.start  # a fixture
FULL = 45  # seconds that the disk is
STAYS = ("busy", "own")
SUPERVISOR = "fuse_cgroup_run --"


@pytest.fixture(params=["v1", "v2"])
def node(request):
    """With two pods; its directory is a filesystem of its own."""
    directory = own_directory("faults")
    with contextlib.ExitStack() as undo:
        undo.callback(shutil.rmtree, directory)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", directory], check=True)
        undo.callback(subprocess.run, ["umount", "-l", directory], check=True)
        running = soak.Node(directory, trees.TAKE_AWAY, request.param)
        undo.callback(running.kill)
        for name, host in zip(STAYS, ("true", "false")):
            running.put(name, soak.BUSY, host)
        trees.until(lambda: running.runs(*STAYS), "the pods run")
        yield running


def containers(node):
    """Of the pods that stay, with their restarts; {} of a kubelet that does not answer."""
    pods = node.listed()
    return {name: [(status["containerID"], status["restartCount"])
                   for status in pods[name]["status"].get("containerStatuses", [])]
            for name in STAYS if name in pods}


def cgroups(node):
    """How many pods have; as the kubelet that runs now sees it."""
    node.root = pathlib.Path(f"/proc/{node.find('/kubelet --config')}/root{trees.STANDARD}")
    return node.pod_cgroups()


def assert_goes_on(node, before, many, name):
    """The same containers, none restarted; and a pod that is put in now comes and goes, with its cgroups."""
    trees.until(lambda: node.get("healthz") == "ok" and containers(node) == before, "the pods go on")
    node.put(name, soak.VISIT)
    trees.until(lambda: node.runs(name), "a new pod runs")
    (node.pods / f"{name}.yaml").unlink()
    trees.until(lambda: name not in node.listed() and cgroups(node) <= many, "it is gone")


def assert_ends(node):
    """By Ctrl-C, and nothing is left."""
    assert node.process.poll() is None, node.text()
    assert node.interrupt() == 130, node.text()


def test_parts_are_killed(node):
    before, many = containers(node), cgroups(node)
    for number, words in enumerate(("containerd --config", "/kubelet --config", "fuse_cgroupfs -f")):
        kill(node, words)
        assert_goes_on(node, before, many, f"later{number}")
    assert_ends(node)


def test_supervisor_is_killed(node):
    """All ends with it, and pods too, which nobody asks; the logs tell."""
    supervisor = next(pid for pid in node.find_all(SUPERVISOR) if os.getsid(pid) == pid)
    os.kill(supervisor, signal.SIGKILL)
    assert node.process.wait(trees.SECONDS) == 128 + signal.SIGKILL
    assert "the logs are kept in" in node.text()
    assert [entry.name for entry in node.logs.parent.iterdir()] == ["log"]
    shutil.rmtree(node.logs.parent)
    node.assert_nothing_left()


def fill(file):
    """Until there is no room."""
    with open(file, "ab", buffering=0) as into:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    into.write(bytes(size))


def test_disk_is_full(node):
    """Pods go on, one that is put in meanwhile waits, and a daemon that is killed meanwhile is followed by
    another."""
    before = containers(node)
    pods, node.pods = node.pods, node.temporary
    node.put("waits", soak.VISIT)  # where the kubelet does not look
    node.pods = pods
    file = node.temporary / "full"
    fill(file)
    (node.temporary / "waits.yaml").rename(pods / "waits.yaml")
    end = time.monotonic() + FULL
    while time.monotonic() < end:
        assert node.get("healthz") == "ok"
        assert containers(node) == before
        assert not node.runs("waits")
        fill(file)
        time.sleep(1)
    kill(node, "fuse_cgroupfs -f")
    trees.until(lambda: containers(node) == before, "the pods go on")
    file.unlink()
    trees.until(lambda: node.runs("waits"), "the pod that has waited runs")
    assert containers(node) == before
    (node.pods / "waits.yaml").unlink()
    assert_ends(node)


def start_k3s(start, cgroups):
    """With two pods."""
    running = start("--offline", f"--{cgroups}")
    running.until("node: Ready after")
    running.put("one", "two")
    trees.until(lambda: running.running() == 2, "the pods run")
    return running


@pytest.mark.parametrize("cgroups", ["v1", "v2"])
def test_k3s_is_killed(start, cgroups):
    """Another is started, and the pods go on."""
    running = start_k3s(start, cgroups)

    def ids():
        return sorted((status["containerID"], status["restartCount"]) for pod in running.pods()
                      for status in pod["status"].get("containerStatuses", []))

    before = ids()
    kill(running, "standin_k3s.py server")
    trees.until(lambda: ids() == before, "the pods go on")
    assert running.interrupt() == 130, running.text()


@pytest.mark.parametrize("cgroups", ["v1", "v2"])
def test_containerd_of_k3s_is_killed(start, cgroups):
    """K3s ends with it, and says so; all pods end, and the logs are kept."""
    running = start_k3s(start, cgroups)
    os.kill(running.find("containerd -c"), signal.SIGKILL)
    assert running.process.wait(trees.SECONDS) == 1
    text = running.text()
    assert "containerd exited" in text and "the logs are kept in" in text
    shutil.rmtree(running.state())
    running.assert_nothing_left()
