# SPDX-License-Identifier: MIT
"""Commands, environment and configuration: what is refused, and with which of CNI's codes (SPEC.md,
"Error")."""

import json
import os
import subprocess

import pytest

from node import PLUGIN, VERSIONS, Failure


def code(network, *args, **more):
    with pytest.raises(Failure) as failure:
        network.run(*args, **more)
    return failure.value.args[0]["code"]


def test_version(network):
    assert network.run("VERSION", text='{"cniVersion": "1.0.0"}') == {
        "cniVersion": "1.0.0", "supportedVersions": VERSIONS}
    assert network.run("VERSION", text="")["supportedVersions"] == VERSIONS


def test_help():
    shown = subprocess.run([PLUGIN, "--help"], text=True, capture_output=True, check=True).stdout
    assert "CNI_COMMAND" in shown
    refused = subprocess.run([PLUGIN, "--wrong"], text=True, capture_output=True, check=False)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0", "1.2.0", "2.0.0", "", None, 1])
def test_versions_that_we_do_not_speak(network, pod, version):
    assert code(network, "ADD", "one", pod.path, cniVersion=version) == 1


@pytest.mark.parametrize("command, before", [("CHECK", "0.3.1"), ("GC", "1.0.0"), ("STATUS", "1.0.0")])
def test_commands_have_a_first_version(network, pod, command, before):
    assert code(network, command, "one", pod.path, cniVersion=before) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"cniVersion": "1.0.0"', "\0", "{} {}"])
def test_no_json(network, pod, text):
    assert code(network, "ADD", "one", pod.path, text=text) == 6


@pytest.mark.parametrize("variables, names", [
    ({}, ["CNI_CONTAINERID"]),
    ({"CNI_CONTAINERID": "one"}, ["CNI_IFNAME"]),
    ({"CNI_CONTAINERID": "one", "CNI_IFNAME": "eth0"}, ["CNI_NETNS"]),
    ({"CNI_CONTAINERID": "../one", "CNI_IFNAME": "eth0", "CNI_NETNS": "/"}, ["CNI_CONTAINERID"]),
    ({"CNI_CONTAINERID": "one", "CNI_IFNAME": "eth/0", "CNI_NETNS": "/"}, ["CNI_IFNAME"]),
    ({"CNI_CONTAINERID": "one", "CNI_IFNAME": "a-name-that-is-too-long", "CNI_NETNS": "/"}, ["CNI_IFNAME"]),
    ({"CNI_CONTAINERID": "one", "CNI_IFNAME": "eth0", "CNI_NETNS": "/", "CNI_ARGS": "IP=x"},
     ["CNI_ARGS", "x"]),
    ({"CNI_CONTAINERID": "one", "CNI_IFNAME": "eth0", "CNI_NETNS": "/", "CNI_ARGS": "IP"}, ["CNI_ARGS"]),
    ({"CNI_CONTAINERID": "one", "CNI_IFNAME": "eth0", "CNI_NETNS": "/proc/self/ns/net"}, ["CNI_NETNS"]),
])
def test_environment(network, variables, names):
    """The message names the variable."""
    result = subprocess.run(network.node.enter(PLUGIN), text=True, capture_output=True, check=False,
                            input=json.dumps(network.config), env={"CNI_COMMAND": "ADD", **variables})
    answer = json.loads(result.stdout)
    assert (result.returncode, answer["code"]) == (1, 4)
    assert all(name in answer["msg"] for name in names)


@pytest.mark.parametrize("command", ["NEVER", "add", None])
def test_unknown_command(network, command):
    environment = {"CNI_COMMAND": command} if command else {}
    result = subprocess.run([PLUGIN], text=True, capture_output=True, check=False,
                            input=json.dumps(network.config),
                            env=environment)
    assert (result.returncode, json.loads(result.stdout)["code"]) == (1, 4)


@pytest.mark.parametrize("path", ["/nowhere", "/dev/null"])
def test_no_namespace(network, path):
    assert code(network, "ADD", "one", path) == 3
    assert network.kept() == {}


IPAM = {
    "no ipam": None,
    "no range": {},
    "no array": {"ranges": {}},
    "no arrays in it": {"ranges": [{"subnet": "10.0.0.0/24"}]},
    "no subnet": {"ranges": [[{"rangeStart": "10.0.0.2"}]]},
    "an address for a subnet": {"subnet": "10.0.0.0"},
    "a length that is none": {"subnet": "10.0.0.0/33"},
    "host bits": {"subnet": "10.0.0.1/24"},
    "too small": {"subnet": "10.0.0.0/31"},
    "start outside": {"subnet": "10.0.0.0/24", "rangeStart": "10.0.1.1"},
    "backwards": {"subnet": "10.0.0.0/24", "rangeStart": "10.0.0.9", "rangeEnd": "10.0.0.8"},
    "another family": {"subnet": "10.0.0.0/24", "rangeStart": "fd00::1"},
    "gateway is no address": {"subnet": "10.0.0.0/24", "gateway": "here"},
    "two families": {"ranges": [[{"subnet": "10.0.0.0/24"}, {"subnet": "fd00::/64"}]]},
    "overlap in a set": {"ranges": [[{"subnet": "10.0.0.0/24"}, {"subnet": "10.0.0.0/25"}]]},
    "overlap of sets": {"ranges": [[{"subnet": "10.0.0.0/24"}], [{"subnet": "10.0.0.128/25"}]]},
    "too many sets": {"ranges": [[{"subnet": f"10.0.{i}.0/24"}] for i in range(9)]},
    "a route without an end": {"subnet": "10.0.0.0/24", "routes": [{}]},
    "a route's gateway": {"subnet": "10.0.0.0/24", "routes": [{"dst": "0.0.0.0/0", "gw": "fd00::1"}]},
    "a relative path": {"subnet": "10.0.0.0/24", "dataDir": "here"},
}


@pytest.mark.parametrize("what", IPAM)
def test_wrong_configuration(network, pod, what):
    network.config["ipam"] = IPAM[what]
    assert code(network, "ADD", "one", pod.path) == 7
    assert list(pod.links()) == ["lo"]


@pytest.mark.parametrize("name", [None, "", ".", "../x", "a/b", "a b", 7])
def test_name_of_the_network(network, pod, name):
    assert code(network, "ADD", "one", pod.path, name=name) == 7


UNSUPPORTED = {
    "ipMasq": {"ipMasq": True},
    "mode": {"mode": "bridge"},
    "type": {"ipam": {"type": "dhcp", "subnet": "10.0.0.0/24"}},
    "resolvConf": {"ipam": {"subnet": "10.0.0.0/24", "resolvConf": "/etc/resolv.conf"}},
    "portMappings": {"runtimeConfig": {"portMappings": [{"hostPort": 80, "containerPort": 80}]}},
    "table": {"ipam": {"subnet": "10.0.0.0/24", "routes": [{"dst": "0.0.0.0/0", "table": 7}]}},
}


@pytest.mark.parametrize("key", UNSUPPORTED)
def test_what_we_cannot_do_is_told(network, pod, key):
    """By its key and its value."""
    with pytest.raises(Failure) as failure:
        network.add("one", pod, **UNSUPPORTED[key])
    answer = failure.value.args[0]
    assert answer["code"] == 2 and key in answer["msg"] and ":" in answer["msg"]


def test_what_asks_for_nothing_is_taken(network, pod):
    network.add("one", pod, ipMasq=False, runtimeConfig={"portMappings": []}, unknown={"a": 1})


def test_answer_that_nobody_reads(network, pod):
    """The address is not lost, and DEL takes it back."""
    full = os.open("/dev/full", os.O_WRONLY)
    environment = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "one", "CNI_IFNAME": "eth0",
                   "CNI_NETNS": pod.path}
    try:
        result = subprocess.run(network.node.enter(PLUGIN), text=True, stdout=full, stderr=subprocess.PIPE,
                                check=False, input=json.dumps(network.config), env=environment)
    finally:
        os.close(full)
    assert result.returncode == 1
    network.delete("one", pod)
    assert list(pod.links()) == ["lo"] and network.kept() == {}
