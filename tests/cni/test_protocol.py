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


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0", "1.2.0", "2.0.0", "", None, 1])
def test_versions_that_we_do_not_speak(network, pod, version):
    assert code(network, "ADD", "one", pod.path, cniVersion=version) == 1


@pytest.mark.parametrize("command, before", [("CHECK", "0.3.1"), ("GC", "1.0.0"), ("STATUS", "1.0.0")])
def test_commands_have_a_first_version(network, pod, command, before):
    assert code(network, command, "one", pod.path, cniVersion=before) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"cniVersion": "1.0.0"', "\0", "{} {}"])
def test_no_json(network, pod, text):
    assert code(network, "ADD", "one", pod.path, text=text) == 6


@pytest.mark.parametrize("command", ["NEVER", "add", None])
def test_unknown_command(network, command):
    environment = {"CNI_COMMAND": command} if command else {}
    result = subprocess.run([PLUGIN], text=True, capture_output=True, check=False,
                            input=json.dumps(network.config),
                            env=environment)
    assert (result.returncode, json.loads(result.stdout)["code"]) == (1, 4)


@pytest.mark.parametrize("name", [None, "", ".", "../x", "a/b", "a b", 7])
def test_name_of_the_network(network, pod, name):
    assert code(network, "ADD", "one", pod.path, name=name) == 7


def test_what_asks_for_nothing_is_taken(network, pod):
    network.add("one", pod, ipMasq=False, runtimeConfig={"portMappings": []}, unknown={"a": 1})
