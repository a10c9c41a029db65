# SPDX-License-Identifier: MIT
"""-o v2,view=container: the root as a cgroup namespace shows it, and what the kernel lets be written to
it."""

import errno
import os
import re
import select

import pytest

import mounting

pytestmark = pytest.mark.daemon
RECORDED = mounting.ROOT / "tests" / "v2_oracle" / "recorded" / "6.18.15"


@pytest.fixture
def view(start):
    return start("-o", "v2,view=container")


def test_the_root_has_a_childs_files(view):
    (view / "child").mkdir()
    (view / "cgroup.subtree_control").write_text(" ".join(
        f"+{name}" for name in (view / "cgroup.controllers").read_text().split()))
    assert sorted(os.listdir(view.path)) == sorted([*os.listdir(view / "child"), "child"])
    for entry in os.scandir(view.path):
        if entry.is_file() and entry.stat().st_mode & 0o444:
            with open(entry.path, encoding="ascii") as file:
                file.read()


def attempt(path, text):
    """ "ok" or the error's name."""
    try:
        path.write_text(text)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "ok"


def test_writes_are_answered_as_in_a_namespace(view):
    """The recording is of a namespace's root "a", with nsdelegate; no write there does harm."""
    (view / "b").mkdir()
    (view / "cgroup.subtree_control").write_text("+cpu +memory +pids")
    lines = re.findall(r"^inside: a/(\S+) < (.*) => (\w+)$", (RECORDED / "nsdelegate.txt").read_text(), re.M)
    lines = [line for line in lines if (view / line[0]).exists()]  # pressure may be off
    assert len(lines) > 12
    assert [(name, text, attempt(view / name, text)) for name, text, _ in lines] == lines
    assert (view / "cgroup.type").read_text() == "domain\n"


if not mounting.in_gvisor():  # which tells of no pressure
    def test_a_trigger_that_nobody_reads(view):
        """poll(2) tells of none until it fires: systemd waits for one, and never reads the file."""
        def told():
            return [event for _, event in poll.poll(0)]

        (view / "child").mkdir()
        if not (view / "child" / "memory.pressure").exists():
            pytest.skip("the kernel tells of no pressure")
        with open(view / "child" / "memory.pressure", "r+b", buffering=0) as file:
            poll = select.poll()
            poll.register(file, select.POLLPRI)
            said = [f"poll without a trigger => {told()}"]
            file.write(b"full 2000000 2000000\0")
            said.append(f"poll without pressure => {told()}")
        kernels = (RECORDED / "pressure.txt").read_text(encoding="ascii").splitlines()
        assert set(said) <= set(kernels)
