# SPDX-License-Identifier: MIT
"""Which addresses are given away, and how that is kept."""

import concurrent.futures
import fcntl
import os
import time

import pytest

import node as nodes
from node import Failure, Network, addresses

SMALL = {"ranges": [[{"subnet": "10.88.0.0/29", "rangeStart": "10.88.0.4", "rangeEnd": "10.88.0.5"}]]}


def lives(network, pod, names, **more):
    """The address of each, one after the other in the same namespace."""
    found = []
    for name in names:
        found += addresses(network.add(name, pod, **more))
        network.delete(name, pod)
    return found


def test_files_are_host_locals(network, pod):
    network.add("one", pod)
    folder = network.directory / "pods"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "10.88.0.2": b"one\r\neth0", "last_reserved_ip.0": b"10.88.0.2", "lock": b""}
    assert oct(os.stat(folder / "10.88.0.2").st_mode & 0o7777) == "0o600"


def test_the_next_one_is_given(network, pod):
    assert lives(network, pod, "abc") == ["10.88.0.2/24", "10.88.0.3/24", "10.88.0.4/24"]


def test_round_the_range_and_exhausted(node, pod, other, tmp_path):
    network = Network(node, tmp_path, ipam=SMALL)
    assert lives(network, pod, "abc") == ["10.88.0.4/29", "10.88.0.5/29", "10.88.0.4/29"]
    network.add("one", pod)
    network.run("STATUS")
    network.add("two", other)
    with pytest.raises(Failure) as failure:
        network.run("STATUS")
    assert failure.value.args[0]["code"] == 50
    with pytest.raises(Failure) as failure:
        network.add("three", pod, ifname="net1")
    assert failure.value.args[0]["code"] == 100


def test_gateway_is_not_given(node, pod, tmp_path):
    small = {"ranges": [[{"subnet": "10.88.0.0/30", "gateway": "10.88.0.2"}]]}
    assert lives(Network(node, tmp_path, ipam=small), pod, "ab") == ["10.88.0.1/30", "10.88.0.1/30"]


def test_ranges_of_a_set_follow_each_other(node, pod, tmp_path):
    ranges = [[{"subnet": "10.88.0.0/30"}, {"subnet": "10.99.0.0/24", "rangeEnd": "10.99.0.2"}]]
    assert lives(Network(node, tmp_path, ipam={"ranges": ranges}), pod, "abc") == [
        "10.88.0.2/30", "10.99.0.2/24", "10.88.0.2/30"]


def test_subnet_beside_ranges(node, pod, tmp_path):
    ipam = {"subnet": "10.77.0.0/24", "ranges": [[{"subnet": "10.88.0.0/24"}]]}
    assert lives(Network(node, tmp_path, ipam=ipam), pod, "a") == ["10.77.0.2/24", "10.88.0.2/24"]


ASKED = {
    "CNI_ARGS": {"args": "IgnoreUnknown=1;K8S_POD_NAME=web;IP=10.88.0.9"},
    "capability": {"runtimeConfig": {"ips": ["10.88.0.9"]}},
    "capability with its length": {"runtimeConfig": {"ips": ["10.88.0.9/24"]}},
}


@pytest.mark.parametrize("how", ASKED)
def test_wanted_address(network, pod, other, how):
    assert addresses(network.add("one", pod, **ASKED[how])) == ["10.88.0.9/24"]
    with pytest.raises(Failure) as failure:
        network.add("two", other, **ASKED[how])
    assert failure.value.args[0]["code"] == 100 and "10.88.0.9" in failure.value.args[0]["msg"]
    assert set(network.kept()) == {"10.88.0.9"}


def test_wanted_address_of_args(network, pod):
    network.config["args"] = {"cni": {"ips": ["10.88.0.9"]}}
    assert addresses(network.add("one", pod)) == ["10.88.0.9/24"]


@pytest.mark.parametrize("wanted", ["10.88.0.1", "10.77.0.9", "fd00::9"])
def test_wanted_address_that_cannot_be_given(network, pod, wanted):
    with pytest.raises(Failure) as failure:
        network.add("one", pod, runtimeConfig={"ips": [wanted]})
    assert failure.value.args[0]["code"] == 100 and network.kept() == {}


def test_ranges_of_the_runtime_come_first(network, pod):
    result = network.add("one", pod, runtimeConfig={"ipRanges": [[{"subnet": "10.55.0.0/24"}]]})
    assert addresses(result) == ["10.55.0.2/24", "10.88.0.2/24"]


def test_many_at_once(node, tmp_path):
    """No address is given twice, whoever is first."""
    network = Network(node, tmp_path)
    with nodes.namespaces(12) as pods, concurrent.futures.ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda each: network.add(f"pod-{each[0]}", each[1]), enumerate(pods)))
        given = [address for result in results for address in addresses(result)]
        assert sorted(given, key=lambda text: int(text.split(".")[3][:-3])) == [
            f"10.88.0.{i}/24" for i in range(2, 14)]
        list(pool.map(lambda each: network.delete(f"pod-{each[0]}", each[1]), enumerate(pods)))
    assert network.kept() == {} and list(node.links()) == ["lo"]


def is_waited_for(path):
    """Whether somebody waits for the lock of this file: proc_locks(5)."""
    inode = path.stat().st_ino
    with open("/proc/locks", encoding="ascii") as locks:
        return any("->" in line.split() and line.split()[-3].endswith(f":{inode}") for line in locks)


def test_the_lock_is_waited_for(network, pod):
    """host-local, which has it, is not disturbed while it looks for an address."""
    network.run("STATUS")
    path = network.directory / "pods" / "lock"
    with open(path, "r+b") as lock, concurrent.futures.ThreadPoolExecutor(1) as pool:
        fcntl.flock(lock, fcntl.LOCK_EX)
        adding = pool.submit(network.add, "one", pod)
        while not is_waited_for(path):
            assert not adding.done(), "it has not waited"
            time.sleep(0.01)
        assert network.kept() == {}
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert addresses(adding.result()) == ["10.88.0.2/24"]


def test_a_file_of_an_old_host_local(network, pod):
    """Before 0.8 they had the container's name alone."""
    (network.directory / "pods").mkdir()
    (network.directory / "pods" / "10.88.0.2").write_text("old")
    assert addresses(network.add("one", pod)) == ["10.88.0.3/24"]
    network.delete("old")
    assert set(network.kept()) == {"10.88.0.3"}


def test_no_place_for_the_files(node, pod, tmp_path):
    (tmp_path / "file").touch()
    network = Network(node, tmp_path / "file")
    for command, code in (("STATUS", 50), ("DEL", 5)):
        with pytest.raises(Failure) as failure:
            network.run(command, "one", pod.path)
        assert failure.value.args[0]["code"] == code
    with pytest.raises(Failure):
        network.add("one", pod)
    assert list(pod.links()) == ["lo"]
