# SPDX-License-Identifier: MIT
"""Each message of src/state, a row each: what is in the way of a state directory, and the one line that is
said."""

import os
import re
import struct
import sys

import pytest

import mounting
import test_messages
import test_state
from processes import NOBODY

sys.path.insert(0, str(mounting.ROOT / "tests"))

import messages  # noqa: E402

pytestmark = pytest.mark.daemon

# Kinds of a record's entries (src/state/kept.h).
CGROUP, VALUES, USAGE, PROCESS = 2, 3, 4, 6
OTHER = 2 ** 40  # a number that no cgroup has


def bytes_of(text):
    return struct.pack("=Q", len(text)) + text


def with_entry(kind, number, content):
    """Adds a record to a state, with one entry; its number may be a cgroup's, by the name."""
    def spoil(directory):
        file = directory / "state"
        whole = file.read_bytes()
        which = number if isinstance(number, int) else number_of(whole, number)
        filled = content(which) if callable(content) else content
        file.write_bytes(whole + test_state.record_of(
            struct.pack("=QQ", kind, which) + bytes_of(filled)))
    return spoil


def number_of(whole, name):
    """Of the cgroup: its place is the parent's number and the name."""
    entries = b"".join(test_state.records(whole)[1])
    at = entries.index(bytes_of(name))
    return struct.unpack("=Q", entries[at - 24:at - 16])[0]


def unmakable(name):
    """A cgroup of this name below the one that is there: as that one's entry, but for the name."""
    def spoil(directory):
        file = directory / "state"
        whole = file.read_bytes()
        entries = b"".join(test_state.records(whole)[1])
        at = entries.index(bytes_of(b"here"))
        length = struct.unpack("=Q", entries[at - 16:at - 8])[0]
        place = entries[at - 8:at - 8 + length].replace(bytes_of(b"here"), bytes_of(name), 1)
        file.write_bytes(whole + test_state.record_of(struct.pack("=QQ", CGROUP, OTHER) + bytes_of(place)))
    return spoil


def content(change):
    def spoil(directory):
        file = directory / "state"
        file.write_bytes(change(file.read_bytes()))
    return spoil


def instead(make):
    def spoil(directory):
        (directory / "state").unlink()
        make(directory / "state")
    return spoil


REFUSED = "{}/state is refused: %s; it is kept as {}/state.refused-\\d{8}T\\d{6}Z, and the next start " \
          "begins anew"
# A name; what is done to a good state directory; further options, and what is said of it, as a regular
# expression, {} being the directory.
LINES = [
    ("damaged", content(test_state.damaged), "", REFUSED % "it is damaged"),
    ("empty", content(lambda whole: b""), "", REFUSED % "it is empty"),
    ("foreign", content(lambda whole: b"PK\3\4" + whole), "",
     REFUSED % "it is not a state file of fuse_cgroupfs"),
    ("version", content(lambda whole: re.sub(rb"state \d+\n", b"state 999\n", whole, count=1)), "",
     REFUSED % "it was written by another version of fuse_cgroupfs"),
    ("no_file", instead(os.mkdir), "", REFUSED % "it is not a file"),
    ("name", unmakable(b"a/b"), "",
     REFUSED % "its cgroup /cpu/a/b cannot be made: No such file or directory"),
    ("values", with_entry(VALUES, b"here", bytes_of(b"cpu") + bytes_of(b"x")), "",
     REFUSED % "its values of a cgroup of cpu are damaged"),
    ("usage", with_entry(USAGE, b"here", b"x"), "", REFUSED % "its usage of a cgroup is damaged"),
    ("processes", with_entry(PROCESS, OTHER, b"x"), "", REFUSED % "its processes are damaged"),
    ("version_of_cgroups", lambda directory: None, ",v2",
     "{}: it was made with cgroup v1: serve that, or use another directory"),
    ("left_out", lambda directory: None, ",controllers=memory",
     "{}: it was made with \\w+, which -o controllers leaves out now: serve it too, or use another "
     "directory"),
    ("owner", lambda directory: os.chown(directory, NOBODY, 0), "",
     f"{{}}: it belongs to user {NOBODY}, who could have daemons do anything: have it belong to user "
     f"{os.geteuid()}, or use another"),
    ("mode", lambda directory: os.chmod(directory, 0o770), "",
     "{}: others may write to it, who could have daemons do anything: chmod go-w, or use another"),
]

# What is said elsewhere, by how it begins, and the test that has it.
ELSEWHERE = {
    "%s: another fuse_cgroupfs uses it (process": "test_state_messages.py::test_directory_in_use",
    "another fuse_cgroupfs uses it": "test_state_messages.py::test_directory_in_use",
    "%s/state is refused: %s": "test_state_messages.py::test_what_cannot_be_set_aside",
    "state: %s of %s does not take what it had": "test_state_messages.py::test_value_that_is_not_taken",
    "state: %s: %s: changes are not kept until": "test_state.py::test_what_can_be_read_is_gone_on_with",
    "state: %s: can be written again": "test_state.py::test_what_can_be_read_is_gone_on_with",
    "state: all that there is": "test_check.py::test_debug_tells_what_happens",
    "state: what has changed": "test_check.py::test_debug_tells_what_happens",
}
EXCUSED = {"out of memory": "it is there", "fuse_cgroupfs state": "the first line of a state file"}


@pytest.fixture(scope="module")
def good():
    """The files of a killed daemon's directory, with a cgroup of cpu and one of net_cls."""
    with mounting.mount_point() as mount, mounting.mount_point() as above:
        daemon = mounting.Daemon(mount, "-o", f"accounting=scan,state={above}/state")
        for hierarchy, name in (("cpu", "here"), ("net_cls", "there")):
            (daemon / hierarchy / name).mkdir()
        daemon.process.kill()
        daemon.process.communicate()
        mounting.unmount(mount, lazy=True)
        files = {path.name: path.read_bytes() for path in (above / "state").iterdir()}
        for path in (above / "state").iterdir():
            path.unlink()
        (above / "state").rmdir()
    return files


@pytest.fixture
def state(good, tmp_path):
    """A copy of that directory."""
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    for name, data in good.items():
        (directory / name).write_bytes(data)
    return directory


def said(directory, state, more="", wrapper=()):
    """The one line of a start that fails."""
    result = mounting.run("-f", "-o", f"accounting=scan,state={state}{more}", directory, wrapper=wrapper)
    assert (result.returncode, result.stdout) == (1, ""), result
    return result.stderr


@pytest.mark.parametrize("spoil, more, expected", [pytest.param(*row[1:], id=row[0]) for row in LINES])
def test_line(state, directory, spoil, more, expected):
    spoil(state)
    line = said(directory, state, more)
    assert re.fullmatch(f"fuse_cgroupfs: -o state: {expected}\n".replace("{}", re.escape(str(state))), line)


def test_directory_in_use(start, state, directory):
    """Whoever has it is named, if that can be told."""
    daemon = start("-o", f"accounting=scan,state={state}")
    begin, end = f"fuse_cgroupfs: -o state: {state}: another fuse_cgroupfs uses it", \
        ": end that, or name another directory\n"
    with mounting.mount_point() as other:
        assert said(other, state) == f"{begin} (process {daemon.pid}){end}"
        (state / "lock").unlink()
        assert said(other, state) == begin + end


@pytest.mark.usefixtures("private_mounts")
def test_what_cannot_be_set_aside(state, directory):
    """As the directory cannot be written to: it is refused all the same."""
    (state / "state").write_bytes(b"")
    read_only = ["unshare", "-m", "--propagation", "private", "sh", "-ec",
                 f'mount --bind {state} {state}; mount -o remount,bind,ro {state}; exec "$@"', "sh"]
    assert said(directory, state, wrapper=read_only) == \
        f"fuse_cgroupfs: -o state: {state}/state is refused: it is empty\n"


def test_value_that_is_not_taken(state, start):
    """One file's value is left as it is made, with a line in the log; all else is there."""
    with_entry(VALUES, b"there", bytes_of(b"net_cls") + bytes_of(
        bytes_of(b"net_cls.classid") + bytes_of(b"much")))(state)
    daemon = start("-o", f"accounting=scan,state={state}")
    assert (daemon / "net_cls" / "there" / "net_cls.classid").read_text() == "0\n"
    assert daemon.stop() == (0, "fuse_cgroupfs: state: net_cls.classid of there does not take what it had\n")


def test_every_message_has_a_row():
    rows = [f"fuse_cgroupfs: -o state: {row[-1]}" for row in LINES]
    rows += [row[-1] for row in test_messages.LINES + test_messages.PLACES]
    assert messages.not_said(["src/state"], rows, [*ELSEWHERE, *EXCUSED]) == []


def test_what_is_elsewhere_is_there():
    assert messages.not_there(ELSEWHERE, "tests/mount") == []
