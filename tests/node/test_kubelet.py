# SPDX-License-Identifier: MIT
"""A kubelet with containerd, of Kubernetes 1.30 or the one that KUBELET names, and a static pod."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import time
import urllib.error
import urllib.request

import pytest

import node
import trees

KUBELET = os.environ.get("KUBELET", str(trees.ROOT / "build/kubelet"))
POD = node.pod("web", r"x=$(head -c 8000000 /dev/zero | tr '\0' a); while :; do :; done",
               resources=json.dumps(
    {"requests": {"cpu": "250m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "64Mi"}}))

TICKS = os.sysconf("SC_CLK_TCK")
YOUNG = 10  # seconds: what is killed sooner is not started anew (goes_on() of scripts/lib/node.sh)

# By the version of cgroups: the pod's limits as files tell them, the class', and where its process is.
LIMITS = {
    "v1": {"cpu/{}/cpu.shares": "256", "cpu/{}/cpu.cfs_quota_us": "50000",
           "cpu/{}/cpu.cfs_period_us": "100000",
           "memory/{}/memory.limit_in_bytes": str(64 << 20)},
    "v2": {"{}/cpu.weight": "10", "{}/cpu.max": "50000 100000", "{}/memory.max": str(64 << 20)}}
CLASS = {"v1": ("cpu/kubepods/burstable/cpu.shares", "256"), "v2": ("kubepods/burstable/cpu.weight", "10")}
MACHINE = {"v1": "memory/kubepods/memory.limit_in_bytes", "v2": "kubepods/memory.max"}
JOINED = {"v1": ("memory", "cpu", "cpuacct", "pids", "devices", "freezer", "blkio", "systemd"), "v2": ("",)}


def free_ports():
    """A port whose lower neighbour is free too."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            try:
                other.bind(("127.0.0.1", one.getsockname()[1] - 1))
            except OSError:
                continue
            return one.getsockname()[1]


# What containerd 2's ctr refuses and 1.6's takes.
CTR = """#!/bin/sh
case " $* " in *" import "*"--snapshotter "*)
	echo "ctr: unable to initialize unpacker: no unpack platforms defined: invalid argument" >&2
	exit 1 ;;
esac
exec /usr/bin/ctr "$@"
"""


class Kubelet(node.Node):
    """run-kubelet-with-fuse-cgroups.sh with a directory for pods."""

    def __init__(self, directory, machine, cgroups, *words):
        self.cgroups = cgroups
        self.port = free_ports()
        self.pods = directory / "pods"
        self.pods.mkdir()
        programs = directory / "bin"
        programs.mkdir()
        (programs / "ctr").write_text(CTR)
        (programs / "ctr").chmod(0o755)
        super().__init__("run-kubelet-with-fuse-cgroups.sh", directory, *words, str(self.pods),
                         machine=machine, PORT=str(self.port), KUBELET=KUBELET, CGROUPS=cgroups,
                         PATH=f"{programs}:{os.environ['PATH']}")
        trees.until(lambda: self.process.poll() is not None or self.get("pods"), "the kubelet")
        assert self.process.poll() is None, self.text()
        self.root = pathlib.Path(f"/proc/{self.find('/kubelet --config')}/root{trees.STANDARD}")
        self.logs = next(self.temporary.glob("kube-node.*")) / "log"

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}",
                                        timeout=60) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            return None

    def pod(self):
        """What the kubelet says of its only pod, or None."""
        return next(iter(json.loads(self.get("pods"))["items"] or []), None)

    def running(self):
        """The same if it runs, of a kubelet that answers."""
        pods = json.loads(self.get("pods") or "{}").get("items") or []
        return next((pod for pod in pods if pod["status"]["phase"] == "Running"), None)

    def read(self, file):
        return (self.root / file).read_text().strip()

    def used(self, cgroup):
        """Nanoseconds of processor time."""
        if self.cgroups == "v1":
            return int(self.read(f"cpuacct/{cgroup}/cpuacct.usage"))
        return int(re.search(r"usage_usec (\d+)", self.read(f"{cgroup}/cpu.stat"))[1]) * 1000

    def processes(self, hierarchy, cgroup):
        return len((self.root / hierarchy / cgroup / "cgroup.procs").read_text().split())

    def has_no_pods(self):
        """No cgroups of pods; those that go while they are listed are not gone yet."""
        try:
            return not list(self.root.glob("**/kubepods/*/pod*"))
        except OSError:
            return False


@pytest.fixture
def kubelet(request, tmp_path):
    """On this machine, or on one that the test names."""
    directory = node.own_directory("node")
    running = None
    try:
        running = Kubelet(directory, *getattr(request, "param", (trees.TAKE_AWAY, "v1")))
        yield running
    finally:
        if running:
            running.kill()
        shutil.copytree(directory, tmp_path / "kept", symlinks=True, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("containerd", "*.sock", "*.ttrpc"))
        shutil.rmtree(directory)


def check_cgroups(kubelet, pod, container):
    """Where the kubelet puts them, with its arithmetic of requests and limits."""
    for cgroup in (pod, container):
        for file, value in LIMITS[kubelet.cgroups].items():
            assert kubelet.read(file.format(cgroup)) == value, (cgroup, file)
    # Its shell starts others at first.
    trees.until(lambda: all(kubelet.processes(hierarchy, container) == 1
                            for hierarchy in JOINED[kubelet.cgroups]),
                "the pod's process is in every hierarchy")
    file, value = CLASS[kubelet.cgroups]
    assert kubelet.read(file) == value
    machine = kubelet.read(MACHINE[kubelet.cgroups])
    assert int(machine) == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def check_version(kubelet):
    """What the kubelet itself says of the version; 1.30's says nothing."""
    found = re.search(r"^kubelet_cgroup_version (\d)", kubelet.get("metrics") or "", re.MULTILINE)
    assert not found or f"v{found[1]}" == kubelet.cgroups


def check_summary(kubelet, container):
    def found():
        pods = json.loads(kubelet.get("stats/summary"))["pods"]
        stats = pods[0]["containers"][0] if pods and pods[0].get("containers") else {}
        return stats if stats.get("cpu", {}).get("usageNanoCores") and \
            stats.get("memory", {}).get("workingSetBytes", 0) > 8_000_000 else None

    stats = trees.until(found, "the summary has the pod's figures")
    assert stats["name"] == "busy"
    assert 0 < stats["cpu"]["usageCoreNanoSeconds"] <= kubelet.used(container)
    assert stats["cpu"]["usageNanoCores"] < 1.2e9
    assert stats["memory"]["workingSetBytes"] < 64 << 20


def check_metrics(kubelet, container):
    def value(name):
        labels = rf'container="busy",[^}}]*id="/{container}"[^}}]*pod="web[^}}]*'
        text = kubelet.get("metrics/cadvisor")
        found = re.search(rf"^{name}\{{{labels}\}} (\S+)", text, re.MULTILINE)
        return found and float(found[1])

    trees.until(lambda: (value("container_memory_usage_bytes") or 0) > 8_000_000,
                "metrics of the pod")
    used = round(value("container_cpu_usage_seconds_total") * 1e9)  # ns, which a float of seconds may miss
    assert 0 < used <= kubelet.used(container)
    assert value("container_spec_memory_limit_bytes") == 64 << 20


@pytest.mark.parametrize("kubelet", [(trees.TAKE_AWAY, "v1"), (trees.TAKE_AWAY, "v2")], indirect=True,
                         ids=["v1", "v2"])
def test_pod(kubelet):
    (kubelet.pods / "web.yaml").write_text(POD)
    pod = trees.until(kubelet.running, "the pod is running")
    name = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
    cgroup = f"kubepods/burstable/pod{pod['metadata']['annotations']['kubernetes.io/config.hash']}"
    container = f"{cgroup}/{name}"
    check_cgroups(kubelet, cgroup, container)
    check_version(kubelet)
    check_summary(kubelet, container)
    check_metrics(kubelet, container)

    (kubelet.pods / "web.yaml").unlink()
    trees.until(lambda: not kubelet.pod(), "the pod is deleted")
    trees.until(kubelet.has_no_pods, "its cgroups are gone")
    assert not kubelet.errors()

    kill(kubelet, "fuse_cgroupfs -f")
    # One of the same name has the same UID, and is told to run with what is known of the last one.
    (kubelet.pods / "again.yaml").write_text(POD.replace("name: web", "name: again"))
    trees.until(kubelet.running, "a pod is running")
    if kubelet.cgroups == "v1":  # on v2 the kubelet is started anew for another daemon
        check_parts_are_started_anew(kubelet)
    assert kubelet.interrupt() == 130, kubelet.text()


def age(pid):
    """In seconds."""
    started = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]) / TICKS
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def kill(running, words):
    """The first program with these words, which has run for a while; another is started."""
    pid = trees.until(lambda: running.find(words), words)
    trees.until(lambda: age(pid) > YOUNG + 1, f"{words} has run for a while")
    os.kill(pid, signal.SIGKILL)
    trees.until(lambda: running.find(words) not in (pid, None), f"another {words}")


def check_parts_are_started_anew(kubelet):
    """The pod goes on in its container, and is deleted as ever."""
    def container():
        statuses = (kubelet.running() or {"status": {}})["status"].get("containerStatuses")
        return statuses and (statuses[0]["containerID"], statuses[0]["restartCount"])

    before = trees.until(container, "the pod has a container")
    kill(kubelet, "/kubelet --config")
    assert trees.until(container, "the pod goes on") == before, kubelet.text()
    kill(kubelet, "containerd --config")
    (kubelet.pods / "again.yaml").unlink()
    trees.until(kubelet.has_no_pods, "its cgroups are gone")


def test_supervisor_is_killed(kubelet):
    """All ends with it, and pods too, which nobody asks; the logs tell."""
    (kubelet.pods / "web.yaml").write_text(POD)
    trees.until(kubelet.running, "the pod is running")
    supervisor = next(pid for pid in kubelet.find_all("fuse_cgroup_run --") if os.getsid(pid) == pid)
    os.kill(supervisor, signal.SIGKILL)
    assert kubelet.process.wait(trees.SECONDS) == 128 + signal.SIGKILL
    assert "the logs are kept in" in kubelet.text()
    shutil.rmtree(kubelet.logs.parent)
    trees.until(lambda: not trees.descendants(), "all have ended")
    assert not list(kubelet.temporary.iterdir())


@pytest.mark.parametrize("kubelet", [(node.BARE, "v1")], indirect=True, ids=["bare"])
def test_nothing_is_left_on_the_machine(kubelet):
    """The kubelet takes the empty kernel's log that it is given."""
    (kubelet.pods / "web.yaml").write_text(POD)
    trees.until(kubelet.running, "the pod is running")
    assert kubelet.interrupt() == 130, kubelet.text()
    assert not kubelet.left_on_machine()
