# SPDX-License-Identifier: MIT
"""cAdvisor 0.49 with the raw and the containerd factories: /metrics, /api/v1.3, /validate/."""

import json
import os
import re
import socket
import urllib.error
import urllib.request

import pytest

import oci
import runtime
import test_containerd
import trees

PROGRAM = os.environ.get("CADVISOR", trees.ROOT / "build/clients/cadvisor")
NOTICED = 5  # seconds: what cAdvisor's users are promised
SHARES = {1: 512, 2: 500}
CONTAINER = "c0" * 32  # the containerd factory wants names like this


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


class Cadvisor:
    """A running cAdvisor."""

    def __init__(self, tree, *words):
        self.tree = tree
        self.log = tree.directory / "cadvisor.log"
        self.address = f"127.0.0.1:{free_port()}"
        self.pid = tree.start(PROGRAM, "-listen", self.address, *words, log=self.log)
        trees.until(lambda: self.get("/api/v1.3/machine"), "cAdvisor answers")

    def get(self, path):
        """What it answers, or None where it knows nothing of it."""
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=60) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            return None

    def container(self, cgroup):
        text = self.get(f"/api/v1.3/containers{cgroup}")
        return text and json.loads(text)

    def metrics(self, cgroup):
        """The cgroup's metrics as {name: value}; of some labels' values their sum."""
        values = {}
        for line in self.get("/metrics").splitlines():
            found = re.match(r"(\w+)\{(.*)\} (\S+)", line)
            if found and f'id="{cgroup}"' in found[2]:
                values[found[1]] = values.get(found[1], 0) + float(found[3])
        return values

    def wait_for(self, cgroup, there):
        trees.until(lambda: bool(self.container(cgroup)) == there,
                    f"{cgroup} is {'' if there else 'no longer '}seen", NOTICED)

    def stop(self):
        assert self.tree.stop(self.pid) == 0
        errors = [line for line in self.log.read_text().splitlines()
                  if re.match("[EF][0-9]{4} ", line)]
        if self.tree.name == "kernel":  # where it sees others' cgroups come and go
            errors = [line for line in errors if self.tree.unique in line]
        assert not errors


@pytest.fixture
def cadvisor(tree):
    server = Cadvisor(tree, "-containerd", "/nonexistent")
    yield server
    server.stop()


def test_machine(cadvisor):
    tree = cadvisor.tree
    machine = json.loads(cadvisor.get("/api/v1.3/machine"))
    assert machine["num_cores"] == int(tree.out("nproc", "--all"))
    total = int(re.search(r"MemTotal: *(\d+) kB", tree.out("cat", "/proc/meminfo"))[1])
    assert machine["memory_capacity"] == total * 1024


def test_validate(cadvisor):
    text = cadvisor.get("/validate/")
    assert "Cgroup setup: [Supported and recommended]" in text
    if cadvisor.tree.version == 2:
        return  # it looks no further there: its other lines are of v1's mounts and files
    assert "Cgroup mount setup: [Supported and recommended]" in text
    assert "Hierarchical memory accounting enabled." in text
    assert "Cpu cfs bandwidth is enabled." in text
    assert f"Cgroups are mounted at {trees.STANDARD}." in text


def cpu_time(values):
    """Nanoseconds; cAdvisor tells seconds, which a float cannot always have to the last of them."""
    return round(values.get("container_cpu_usage_seconds_total", 0) * 1e9)


def test_raw_container(cadvisor):
    """A container of runc is noticed, its figures are those of the tree, its end is noticed."""
    tree = cadvisor.tree
    box = runtime.Container(tree, "runc", oci.BUSY)
    assert not cadvisor.container(box.cgroup)
    box.start()
    cadvisor.wait_for(box.cgroup, True)
    spec = cadvisor.container(box.cgroup)["spec"]
    assert spec["memory"]["limit"] == 64 << 20
    if tree.version == 1:
        assert spec["memory"]["reservation"] == 32 << 20
    assert spec["cpu"]["limit"] == SHARES[tree.version]
    assert (spec["cpu"]["quota"], spec["cpu"]["period"]) == (50000, 100000)
    trees.until(lambda: tree.read("pids", box.cgroup, "pids.current") == "1", "it is ready")
    before = runtime.cpu_time(tree, box.cgroup)
    values = trees.until(
        lambda: (seen := cadvisor.metrics(box.cgroup)) and cpu_time(seen) >= before and seen,
        "figures of now")
    assert cpu_time(values) <= runtime.cpu_time(tree, box.cgroup)
    usage = int(tree.read("memory", box.cgroup, "memory.usage_in_bytes"))
    assert 8_000_000 < values["container_memory_usage_bytes"] < 2 * usage
    assert 8_000_000 < values["container_memory_rss"] <= values["container_memory_usage_bytes"]
    assert values["container_memory_max_usage_bytes"] >= values["container_memory_usage_bytes"]
    assert values["container_spec_memory_limit_bytes"] == 64 << 20
    assert values["container_spec_cpu_quota"] == 50000
    assert values["container_processes"] == 1
    assert values["container_threads"] == 1 and values["container_threads_max"] == 32
    trees.until(lambda: cpu_time(cadvisor.metrics("/")) > before, "the root has more than the container")
    box.end()
    cadvisor.wait_for(box.cgroup, False)


def test_containerd_container(tree):
    """The containerd factory finds the container's image and name."""
    test_containerd.need_every_hierarchy(tree)
    containerd = test_containerd.Containerd(tree)
    cadvisor = Cadvisor(tree, "-containerd", containerd.socket, "-containerd-namespace",
                        tree.unique)
    cgroup = f"/{tree.unique}/{CONTAINER}"
    containerd.run("-d", "--memory-limit", str(64 << 20), oci.IMAGE, CONTAINER, "sh", "-c",
                   oci.BUSY)
    assert tree.read("memory", cgroup, "memory.limit_in_bytes") == str(64 << 20)
    cadvisor.wait_for(cgroup, True)
    seen = cadvisor.container(cgroup)
    assert seen["namespace"] == "containerd" and seen["spec"]["image"] == oci.IMAGE
    assert seen["spec"]["memory"]["limit"] == 64 << 20
    values = trees.until(
        lambda: (seen := cadvisor.metrics(cgroup)) and
        seen.get("container_memory_usage_bytes", 0) > 8_000_000 and seen, "it works")
    assert 0 < cpu_time(values) <= runtime.cpu_time(tree, cgroup)
    containerd("task", "delete", "-f", CONTAINER)
    containerd("container", "delete", CONTAINER)
    cadvisor.wait_for(cgroup, False)
    cadvisor.stop()
    containerd.stop()
