# SPDX-License-Identifier: MIT
"""Each message of the scripts that users run, a row each: what is lacking, and the one line that is said."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "mount")]

import messages  # noqa: E402
import mounting  # noqa: E402

K3S, KUBELET = "run-k3s-with-fuse-cgroups.sh", "run-kubelet-with-fuse-cgroups.sh"
NOBODY = 'set -- setpriv --reuid 65534 --regid 65534 --clear-groups "$@"'
NO_FUSE = 'mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; mount -o remount,ro /dev; set -- setpriv ' \
          '--bounding-set=-mknod "$@"'
READ_ONLY = 'mount --rbind / /mnt; mount -t tmpfs -o ro none /mnt/etc; mount -t tmpfs none /mnt/mnt; ' \
            'set -- chroot /mnt env TMPDIR=/mnt "$@"'
NO_CONTAINERD = 'if it=$(command -v containerd); then mount --bind /etc/passwd "$it"; fi'

# A script and its words, variables of its environment, and what is said, as a regular expression. {} is a
# directory with programs, which do nothing: "k3s" tells its version, and in "bin" are those of a node.
LINES = [
    ("prepare-node.sh", [], {}, r"name a command: prepare-node.sh COMMAND \[ARGUMENT...\]"),
    (K3S, [], {"K3S": "/nowhere/k3s"},
     r"there is no /nowhere/k3s: put k3s into PATH or name it with K3S=/path/to/k3s \(https://k3s.io\)"),
    (K3S, [], {"K3S": "/bin/true"}, "/bin/true --version does not tell a version of Kubernetes"),
    (K3S, ["--data-dir", "/x"], {},
     "--data-dir cannot be chosen: all of a node lies below one new directory, in TMPDIR"),
    (K3S, ["--agent"], {}, "--agent needs the server's URL"),
    (K3S, ["--agent", "https://x"], {},
     "a node needs the server's token: set K3S_TOKEN, or give --token TOKEN"),
    (K3S, [], {"CGROUPS": "v3"}, "CGROUPS cannot be v3: it is v1 or v2"),
    (K3S, [], {"IMAGES": "/nowhere.tar"}, "IMAGES: there is no file /nowhere.tar"),
    (K3S, [], {"FUSE_CGROUP_RUN": "/nowhere/run"}, "/nowhere/run is not there: run make first"),
    (KUBELET, ["--agent", "https://x"], {}, "only k3s has agents"),
    (KUBELET, [], {"KUBELET": "/nowhere/kubelet", "PATH": "{}/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
     "there is no kubelet: put one into PATH, name it with KUBELET=, or run tests/node/build-kubelet.sh"),
]

# The same in a place that a shell script makes, as root, in a mount namespace of its own.
PLACES = [
    ("prepare-node.sh", ["true"], NOBODY, "it mounts: run it as root"),
    (K3S, [], NOBODY, "a node makes containers and mounts: run it as root"),
    (K3S, [], NO_FUSE, "there is no /dev/fuse: modprobe fuse, or give it to the container"),
    (K3S, ["--offline"], "mount --bind /etc/passwd /bin/busybox",
     "there is no /bin/busybox: sudo apt-get install -y busybox-static"),
    (K3S, [], READ_ONLY, "cannot make /etc/cni, where k3s and kubelets write"),
    (KUBELET, [], NO_CONTAINERD, "there is no containerd: sudo apt-get install -y containerd"),
]

# What is said elsewhere, by how it begins, and the test that has it.
ELSEWHERE = {
    "unknown set": "build/test_dependencies.py::test_unknown_set",
    "fuse_cgroupfs is for 64-bit machines": "build/test_dependencies.py::test_one_line_on_32_bit_machines",
    "fuse_cgroupfs needs glibc": "build/test_dependencies.py::test_other_c_libraries_are_refused",
    "fuse_cgroupfs needs what is not here": "build/test_dependencies.py::test_says_what_to_install",
}
EXCUSED = {
    "$table: unknown probe": "the table is ours",
    "dpkg-buildpackage failed": "it builds",
    "these processes of pods": "all can be ended",
    "a node wants an address": "the tests' nodes have the right to add one",
    "$what does not answer": "after a minute",
    "$mount did not come up": "after ten seconds",
    "$1 ended with status": "what k3s and kubelets do; node/test_k3s.py::test_k3s_that_ends",
    "the logs are kept in": "what comes after such a failure",
    "there is no /bin/busybox: install": "busybox_image.py is run where it is",
}


@pytest.fixture(scope="module")
def directory():
    """Where others, too, can look for the programs."""
    with mounting.mount_point() as path:
        for name, line in (("k3s", "echo k3s version v1.36.3+k3s1"), ("nothing", ":"),
                           *((f"bin/{name}", ":") for name in ("containerd", "ctr", "runc"))):
            (path / name).parent.mkdir(exist_ok=True)
            (path / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            (path / name).chmod(0o755)
        yield path


def said(script, words, directory, environment=(), wrapper=()):
    """The one line that a script ends with."""
    program = mounting.places.public(ROOT / "scripts") / script
    result = subprocess.run(
        [*wrapper, program, *(word.replace("{}", str(directory)) for word in words)],
        text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=mounting.PATIENCE * 3,
        env={**os.environ, "K3S": f"{directory}/k3s", "KUBELET": f"{directory}/kubelet",
             "FUSE_CGROUP_RUN": f"{directory}/nothing", "FUSE_CGROUP_CNI": f"{directory}/nothing",
             **{name: value.replace("{}", str(directory)) for name, value in dict(environment).items()}})
    assert result.returncode == 1, result
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"{script}: "), result
    return lines[0].removeprefix(f"{script}: ")


@pytest.mark.parametrize("script, words, environment, expected", LINES,
                         ids=[f"{row[0]} {row[-1][:30]}" for row in LINES])
def test_line(directory, script, words, environment, expected):
    if script in (K3S, KUBELET) and os.geteuid():
        pytest.skip("needs root: it is asked for first")
    assert re.fullmatch(expected.replace("{}", str(directory)), said(script, words, directory, environment))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: makes places of its own by mounts")
@pytest.mark.parametrize("script, words, place, expected", PLACES,
                         ids=[f"{row[0]} {row[-1][:30]}" for row in PLACES])
def test_place(directory, script, words, place, expected):
    if reason := mounting.why_no_namespace():
        pytest.skip(reason)
    wrapper = ["unshare", "-m", "--propagation", "private", "sh", "-ec",
               f'{place.replace("{}", str(directory))}\nexec "$@"', "sh"]
    assert re.fullmatch(expected, said(script, words, directory, wrapper=wrapper))


def test_every_message_has_a_row():
    rows = [row[-1].replace("\\", "") for row in LINES + PLACES]
    lacking = [(file, text) for file, text in messages.of_scripts(ROOT / "scripts")
               if not text.startswith(tuple([*ELSEWHERE, *EXCUSED]))
               and not any(re.fullmatch(messages.of_shell(text), row) for row in rows)]
    assert lacking == []


def test_what_is_elsewhere_is_there():
    assert messages.not_there(ELSEWHERE, "tests") == []
