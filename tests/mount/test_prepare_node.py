# SPDX-License-Identifier: MIT
"""scripts/prepare-node.sh, where the machine lacks what a kubelet wants of it, and where it has all."""

import os
import pathlib
import subprocess

import pytest

import mounting
import places

SCRIPT = places.public(mounting.ROOT / "scripts" / "prepare-node.sh")
SYS = pathlib.Path("/proc/sys")
DEFAULTS = {"vm/overcommit_memory": "0", "vm/panic_on_oom": "0", "kernel/panic": "0",
            "kernel/panic_on_oops": "0", "kernel/keys/root_maxkeys": "1000000",
            "kernel/keys/root_maxbytes": "25000000"}
# A machine that lacks some: the directory "$1" is over its own.
LACKING = 'mount --bind "$1" "$2"; shift 2; exec "$@"'
# What each says, then that each can be written.
TELL = """cd /proc/sys
for name in """ + " ".join(DEFAULTS) + """; do
	read value <$name; echo "$name $value"
	echo 7 >$name; read value <$name; [ "$value" = 7 ] || echo "$name stays $value"
done"""


@pytest.fixture
def run(tmp_path):
    """Runs it in a mount namespace of its own, with `over` (what is there, by name) over a directory."""
    if mounting.why_no_namespace():
        pytest.skip(mounting.why_no_namespace())
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    def run(*command, where=None, over=()):
        wrapper = ["unshare", "--mount", "--propagation", "private"]
        if where:
            other = tmp_path / "other"
            for name, value in dict(over).items():
                (other / name).parent.mkdir(parents=True, exist_ok=True)
                (other / name).write_text(value)
            wrapper += ["sh", "-ec", LACKING, "sh", other, where]
        result = subprocess.run([*wrapper, SCRIPT, *command], text=True, capture_output=True, timeout=60,
                                env={**os.environ, "TMPDIR": str(temporary)})
        assert not os.listdir(temporary)
        return result.returncode, result.stdout, result.stderr

    before = machine()
    yield run
    assert machine() == before


def machine():
    """What the machine itself says, which must stay."""
    return [(SYS / name).read_text() if (SYS / name).exists() else None for name in DEFAULTS]


def expected():
    """What the machine has, else the kernel's default."""
    return {name: own.strip() if own else DEFAULTS[name] for name, own in zip(DEFAULTS, machine())}


def lines(values):
    return [f"{name} {value}" for name, value in values.items()]


def test_as_the_machine_is(run):
    status, out, err = run("sh", "-ec", TELL)
    assert (status, out.splitlines(), err) == (0, lines(expected()), "")


@pytest.mark.parametrize("where, over", [
    ("vm", {"max_map_count": "5\n", "overcommit_memory": "2\n"}),
    ("kernel/keys", {"maxkeys": "3\n"}),
    ("kernel", {"hostname": "other\n", "random/uuid": "u\n", "panic": "4\n"}),
])
def test_directory_that_lacks_some(run, where, over):
    """They are there, can be written, and nothing that was there is lost."""
    told = {f"{where}/{name}": value.strip() for name, value in over.items()}
    values = expected()
    for name in values:
        if name.startswith(where + "/"):
            values[name] = told.get(name, DEFAULTS[name])
    others = [name for name in told if name not in DEFAULTS]
    script = TELL + "\ncat " + " ".join(others)
    status, out, err = run("sh", "-ec", script, where=SYS / where, over=over)
    assert (status, err) == (0, "")
    assert out.splitlines() == [*lines(values), *(told[name] for name in others)]


def test_no_kernel_log(run):
    """An empty one can be read."""
    script = "cat /dev/kmsg; echo empty"
    assert run("sh", "-ec", script, where="/dev", over={"null": ""}) == (0, "empty\n", "")


def test_mounts_are_shared(run):
    """What is mounted later shows in the containers that were made before."""
    script = """mount -t tmpfs outer "$TMPDIR"; mkdir "$TMPDIR/later"
unshare --mount --propagation slave sh -c 'echo >"$0/ready"; until [ -e "$0/go" ]; do sleep 0.02; done
	grep -c " $0/later " /proc/self/mountinfo' "$TMPDIR" &
until [ -e "$TMPDIR/ready" ]; do sleep 0.02; done
mount -t tmpfs later "$TMPDIR/later"; : >"$TMPDIR/go"; wait"""
    assert run("sh", "-ec", script) == (0, "1\n", "")


def test_command(run):
    """It is the command: its words, its end."""
    assert run("sh", "-c", 'printf "%s|" "$@"; exit 5', "sh", "a b", "inside", "") == (5, "a b|inside||", "")
    status, out, err = run()
    assert (status, out) == (1, "") and "name a command" in err
    status, out, err = run("--help")
    assert (status, err) == (0, "") and "Usage: prepare-node.sh COMMAND" in out


def test_as_an_ordinary_user():
    result = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "sh",
                             SCRIPT,
                             "true"], text=True, capture_output=True)
    assert result.returncode == 1
    assert result.stderr == "prepare-node.sh: it mounts: run it as root\n"
