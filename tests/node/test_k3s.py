# SPDX-License-Identifier: MIT
"""The script for k3s, with a stand-in that is made of a real containerd, runc and kubelet."""

import json
import os
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.request

import pytest

import node
import test_kubelet
import trees

SCRIPT = "run-k3s-with-fuse-cgroups.sh"
STANDIN = pathlib.Path(__file__).resolve().parent / "standin_k3s.py"
COMMAND = "sleep 1000 & while :; do sleep 1; done"
PLACES = ["/etc/rancher", "/run/k3s", "/opt/cni", "/var/lib/kubelet"]
# As in most sandboxes, and started by a systemd's unit.
UNLOVED = f"{node.BARE}\nexport INVOCATION_ID=x\nset -- setpriv --bounding-set -sys_resource \"$@\""
APART = f"{trees.TAKE_AWAY}\nset -- unshare -n \"$@\""
# Only loopback's address and no route.
ALONE = f"{trees.TAKE_AWAY}\nset -- unshare -n sh -c 'trap : INT; ip link set lo up; \"$@\"; s=$?; " \
        "ip -o address; exit $s' sh \"$@\""


class K3s(node.Node):
    """The script with the stand-in."""

    def __init__(self, directory, *words, **environment):
        self.port = test_kubelet.free_ports()
        super().__init__(SCRIPT, directory, *words, **{
            "K3S": str(STANDIN), "PORT": str(self.port), "KUBELET": test_kubelet.KUBELET, **environment})

    def until(self, text):
        trees.until(lambda: text in self.text() or self.process.poll() is not None, f"it says: {text}")
        assert text in self.text() and self.process.poll() is None, self.text()

    def state(self):
        return next(self.temporary.glob("kube-node.*"))

    def put(self, *names, host="true", image="localhost/busybox:static"):
        for name in names:
            manifest = node.pod(name, COMMAND, host=host, image=image)
            (self.state() / f"k3s/agent/pod-manifests/{name}.yaml").write_text(manifest)

    def pods(self):
        """As the kubelet tells them."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/pods", timeout=60) as answer:
                return json.load(answer)["items"] or []
        except (urllib.error.URLError, ConnectionError):
            return []

    def running(self):
        """How many pods run."""
        return sum(pod["status"]["phase"] == "Running" for pod in self.pods())


@pytest.fixture
def start(tmp_path):
    directory = node.own_directory("k3s")
    started = []

    def run(*words, **environment):
        own = directory / str(len(started))
        own.mkdir()
        started.append(K3s(own, *words, **environment))
        return started[-1]

    try:
        yield run
    finally:
        for each in started:
            each.kill()
        shutil.copytree(directory, tmp_path / "kept", symlinks=True, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("containerd", "*.sock", "*.ttrpc"))
        shutil.rmtree(directory)


def test_life(start):
    """Ready, pods that run, and an end of all of them, where nothing helps."""
    running = start("--offline", "--v1", machine=UNLOVED)
    running.until("node: Ready after")
    running.put("one")
    running.put("two", host="false")
    trees.until(lambda: running.running() == 2, "pods run")
    # One has the node's address, the other is of the node's part.
    assert sum(pod["status"].get("podIP", "").startswith("10.42.7.") for pod in running.pods()) == 1
    log = (running.state() / "log/k3s").read_text()
    assert "Remotedialer proxy error" not in log
    assert running.interrupt() == 130, running.text()
    assert not running.left_on_machine()


def test_older_k3s(start):
    """It has neither the flag for cgroup v1 nor settings beside its own."""
    running = start("--offline", "--v1", K3S_VERSION="1.30.14")
    running.until("node: Ready after")
    running.put("one")
    trees.until(lambda: running.running() == 1, "a pod runs")
    assert running.interrupt() == 130, running.text()


def test_newer_k3s_gets_v2(start):
    running = start("--dry-run")
    assert running.process.wait(trees.SECONDS) == 0
    assert "fuse_cgroup_run --v2 --" in running.text() and "fail-cgroupv1" not in running.text()


def test_without_route(start):
    """The node gets an address, and nothing is pulled; the address is gone in the end."""
    running = start(machine=ALONE, CGROUPS="v1")
    running.until("node: Ready after")
    assert running.interrupt() == 130, running.text()
    assert "127.0.0.1/8" in running.text() and "10.99.0.1" not in running.text()


def test_two_nodes(start, tmp_path):
    """Each has a network namespace for itself. The first to end leaves the second its mounts, and the last
    takes the mount points away."""
    program = tmp_path / "k3s"
    program.write_text("#!/bin/sh\n[ $1 != --version ] || exec echo k3s version v1.36.0\nexec sleep 1000\n")
    program.chmod(0o755)
    missing = [place for place in PLACES if not os.path.isdir(place)]
    first = start("--offline", K3S=str(program))
    first.until("node: logs in")
    refused = start("--offline", K3S=str(program))
    assert refused.process.wait(trees.SECONDS) == 1
    assert refused.text().count("\n") == 1 and "in this network namespace already" in refused.text()
    second = start("--offline", K3S=str(program), machine=APART)
    second.until("node: logs in")
    pids = trees.until(lambda: len(found := second.find_all("sleep 1000")) == 2 and found, "both run")
    assert first.interrupt(alone=False) == 130, first.text()
    left = trees.until(lambda: [pid for pid in pids if pid in trees.descendants()], "the other runs")
    mounts = pathlib.Path(f"/proc/{left[0]}/mountinfo").read_text()
    assert all(f" {place} " in mounts for place in PLACES)
    assert second.interrupt() == 130, second.text()
    assert not [place for place in missing if os.path.isdir(place)]


def test_agent(start, tmp_path):
    """On v2, which Kubernetes 1.36 gets unasked, with an image of the user's; as shells start what they put
    into the background, which has Ctrl-C's signal ignored."""
    image = tmp_path / "image.tar"
    subprocess.run([trees.ROOT / "scripts/busybox_image.py", image, "localhost/own:1"], check=True)
    running = start("--agent", "https://127.0.0.1:1", "--node-name", "a B", "--with-node-id", K3S_TOKEN="x",
                    IMAGES=str(image), machine=f"{trees.TAKE_AWAY}\ntrap '' INT")
    running.until("node: Ready after")
    running.put("one", image="localhost/own:1")
    trees.until(lambda: running.running() == 1, "a pod runs")
    assert running.interrupt() == 130, running.text()


def test_k3s_that_ends(start):
    """The reason is shown, in its words and in ours, and the log is kept."""
    running = start("--kubelet-arg", "fail-cgroupv1=true", "--v1", "--offline")
    assert running.process.wait(trees.SECONDS) == 1
    text = running.text()
    assert "cgroup v1 support is unsupported" in text and "leave --v1 out" in text
    log = pathlib.Path(text.rpartition("the logs are kept in ")[2].strip())
    assert "configured to not run" in (log / "k3s").read_text()
    assert [entry.name for entry in log.parent.iterdir()] == ["log"]
    shutil.rmtree(log.parent)
    running.assert_nothing_left()
