# SPDX-License-Identifier: MIT
"""The last of each kind that is taken, rarely used keys, and what a runtime may leave out."""

import os

import pytest

from node import Failure, Network, addresses


def ranges(count):
    return [{"subnet": f"10.0.{i}.0/24"} for i in range(count)]


def routes(count):
    return [{"dst": f"10.1.{i}.0/24"} for i in range(count)]


ONE = {"ranges": [[{"subnet": "10.0.0.0/24", "rangeStart": "10.0.0.9", "rangeEnd": "10.0.0.9"}]]}
# What is configured, and the addresses that one container has of it.
TAKEN = {
    "8 sets": ({"ranges": [[each] for each in ranges(8)]}, [f"10.0.{i}.2/24" for i in range(8)]),
    "16 ranges": ({"ranges": [ranges(16)]}, ["10.0.0.2/24"]),
    "32 routes": ({"ranges": [ranges(1)], "routes": routes(32)}, ["10.0.0.2/24"]),
    "one address": (ONE, ["10.0.0.9/24"]),
    "the smallest": ({"ranges": [[{"subnet": "10.0.0.4/30"}]]}, ["10.0.0.6/30"]),
    "the first": ({"ranges": [[{"subnet": "10.0.0.0/24", "rangeStart": "10.0.0.0"}]]}, ["10.0.0.0/24"]),
    "neighbours": ({"ranges": [[{"subnet": "10.0.0.0/25"}], [{"subnet": "10.0.0.128/25"}]]},
                   ["10.0.0.2/25", "10.0.0.130/25"]),
    "null": ({"ranges": [[{"subnet": "10.0.0.0/24", "rangeStart": None, "gateway": None}]], "routes": None},
             ["10.0.0.2/24"]),
}


@pytest.mark.parametrize("what", TAKEN)
def test_the_last_that_is_taken(node, pod, tmp_path, what):
    ipam, expected = TAKEN[what]
    network = Network(node, tmp_path, ipam={"routes": [], **ipam})
    assert addresses(network.add("one", pod)) == expected
    assert pod.links()["eth0"] == expected and len(pod.routes()) >= len(ipam.get("routes") or [])
    network.delete("one", pod)
    assert network.kept() == {} and list(node.links()) == ["lo"]


@pytest.mark.parametrize("ipam, runtime", [
    ({"ranges": [ranges(17)]}, {}),
    ({"ranges": [[{"subnet": "10.0.0.0/24", "rangeEnd": "10.0.1.0"}]]}, {}),
    ({"ranges": [[{"subnet": "10.0.0.0/24"}, {"subnet": "10.0.0.254/31"}]]}, {}),
    ({"ranges": [[{"subnet": "10.0.0.0/24", "rangeEnd": "10.0.0.9"},
                  {"subnet": "10.0.0.0/24", "rangeStart": "10.0.0.9"}]]}, {}),
    ({"ranges": [ranges(1)]}, {"ips": ["10.0.0.3/33"]})])
def test_the_first_that_is_not(node, pod, tmp_path, ipam, runtime):
    with pytest.raises(Failure) as failure:
        Network(node, tmp_path, ipam=ipam).add("one", pod, runtimeConfig=runtime)
    assert failure.value.args[0]["code"] == 7 and list(pod.links()) == ["lo"]


def test_sixteen_wanted_addresses_are_read(network, pod):
    """There is one set, so that the second one finds no range: as an address, not as a configuration."""
    with pytest.raises(Failure) as failure:
        network.add("one", pod, runtimeConfig={"ips": [f"10.88.0.{i}" for i in range(2, 18)]})
    assert failure.value.args[0]["code"] == 100 and network.kept() == {}


def test_a_configuration_of_four_megabytes(network, pod):
    text = '{"cniVersion": "1.1.0", "name": "pods", "type": "loopback"}'
    network.run("ADD", "one", pod.path, ifname="lo", text=text.ljust(4 << 20))
    assert pod.is_up("lo")


def test_the_longest_name_of_a_link(network, pod):
    network.add("one", pod, ifname="fifteen-letters")
    assert pod.links()["fifteen-letters"] == ["10.88.0.2/24"]


@pytest.mark.parametrize("version, told", [("1.0.0", (None, None)), ("1.1.0", (1300, 77))])
def test_mtu_and_priority(node, pod, tmp_path, version, told):
    ipam = {"routes": [{"dst": "10.9.0.0/16", "gw": "10.88.0.1", "priority": 77}]}
    network = Network(node, tmp_path, version, mtu=1300, ipam=ipam)
    result = network.add("one", pod)
    assert {link.get("mtu") for link in result["interfaces"]} == {told[0]}
    assert (result["routes"][0]["gw"], result["routes"][0].get("priority")) == ("10.88.0.1", told[1])
    for side, name in ((node, result["interfaces"][0]["name"]), (pod, "eth0")):
        assert " mtu 1300 " in side.output("ip", "link", "show", name)
    assert "via 10.88.0.1 dev eth0 metric 77" in pod.output("ip", "route", "show", "10.9.0.0/16")


def test_mtu_is_the_kernels(network, pod):
    result = network.add("one", pod)
    assert [link["mtu"] for link in result["interfaces"]] == [1500, 1500]


@pytest.mark.parametrize("arguments, expected", [
    ("ip=10.88.0.9", "10.88.0.9/24"), ("IP=::ffff:10.88.0.9", "10.88.0.9/24"), ("IP=", "10.88.0.2/24"),
    (";IgnoreUnknown=1;;IP=10.88.0.9;", "10.88.0.9/24"), ("NOT_IP=10.88.0.9", "10.88.0.2/24")])
def test_arguments(network, pod, arguments, expected):
    assert addresses(network.add("one", pod, args=arguments)) == [expected]


@pytest.mark.parametrize("last, expected", [("10.77.0.3", "10.88.0.2/24"), ("x", "10.88.0.2/24"),
                                            ("10.88.0.254", "10.88.0.2/24"), ("10.88.0.7", "10.88.0.8/24")])
def test_after_the_last_one(network, pod, last, expected):
    """Which may be of a range that there was."""
    (network.directory / "pods").mkdir()
    (network.directory / "pods" / "last_reserved_ip.0").write_text(last)
    assert addresses(network.add("one", pod)) == [expected]


def test_who_may_see_what_is_kept(network, pod):
    network.add("one", pod)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (network.directory / "pods").iterdir()}
    assert modes == {"10.88.0.2": "0o600", "last_reserved_ip.0": "0o600", "lock": "0o600"}


def test_del_is_of_one_attachment(network, node, pod, other):
    """Whatever white space another program has written around the names."""
    network.add("one", pod)
    network.add("on", other)
    (network.directory / "pods" / "10.88.0.3").write_bytes(b" on \t\r\n\teth0 ")
    network.run("DEL", "one", pod.path, ifname="eth1")
    assert set(network.kept()) == {"10.88.0.2", "10.88.0.3"} and len(node.links()) == 3
    network.delete("on", other)
    assert set(network.kept()) == {"10.88.0.2"} and list(other.links()) == ["lo"]
    assert "eth0" in pod.links()


@pytest.mark.parametrize("valid, stay", [
    (None, set()), ([{"containerID": "one", "ifname": "eth0"}], {"10.88.0.2"}),
    ([{"containerID": "one", "ifname": "eth1"}, {"containerID": "one"}, {"ifname": "eth0"}, 7], set())])
def test_gc_by_list(network, node, pod, valid, stay):
    network.add("one", pod)
    network.run("GC", **{"cni.dev/valid-attachments": valid})
    assert set(network.kept()) == stay and len(node.links()) == 1 + len(stay)


def test_failed_add_leaves_lo_as_it_was(node, pod, tmp_path):
    """The second address is there already: the first goes again, and neither is kept."""
    network = Network(node, tmp_path, mode="lo",
                      ipam={"ranges": [[{"subnet": "10.0.0.0/24"}], [{"subnet": "10.1.0.0/24"}]]})
    pod.output("ip", "addr", "add", "10.1.0.2/32", "dev", "lo")
    with pytest.raises(Failure) as failure:
        network.add("one", pod)
    assert failure.value.args[0]["code"] == 101
    assert pod.links() == {"lo": ["127.0.0.1/8", "10.1.0.2/32"]} and network.kept() == {}


def test_check_is_of_what_is_ours(network, node, pod):
    """Links and routes of other plugins in the result are theirs to check."""
    result = network.add("one", pod)
    result["interfaces"] += [{"name": "dummy0", "sandbox": pod.path}, {"name": "br0", "mac": "x"},
                             {"name": "eth0", "sandbox": "/elsewhere", "mac": "02:00:00:00:00:09"}]
    result["routes"] += [{"dst": "192.0.2.0/24"}, {"dst": "0.0.0.0/1"}]
    network.run("CHECK", "one", pod.path, prevResult=result)
    node.output("ip", "link", "set", result["interfaces"][0]["name"], "address", "02:00:00:00:00:09")
    with pytest.raises(Failure) as failure:
        network.run("CHECK", "one", pod.path, prevResult=result)
    assert failure.value.args[0]["code"] == 102


def test_what_is_kept_is_no_way_to_another_file(network, pod, tmp_path):
    (network.directory / "pods").mkdir()
    target = tmp_path / "target"
    target.write_text("mine")
    os.symlink(target, network.directory / "pods" / "last_reserved_ip.0")
    with pytest.raises(Failure) as failure:
        network.add("one", pod)
    assert failure.value.args[0]["code"] == 5 and target.read_text() == "mine"
    assert list(pod.links()) == ["lo"]
