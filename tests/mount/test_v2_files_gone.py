# SPDX-License-Identifier: MIT
"""-o v2: files that go and come by writes to others, to a client that had seen them."""

import os

import pytest

pytestmark = pytest.mark.daemon


@pytest.fixture
def tree(start):
    mount = start("-o", "v2")
    (mount / "a").mkdir()
    return mount


def control(cgroup, words):
    (cgroup / "cgroup.subtree_control").write_text(words)


def see(file):
    """What leaves the kernel with its name and its attributes."""
    file.read_text()
    file.stat()


def assert_gone(file):
    for ask in (os.stat, os.lstat, open, lambda path: os.open(path, os.O_WRONLY), os.listxattr,
                lambda path: os.chmod(path, 0o600)):
        with pytest.raises(FileNotFoundError):
            ask(file)
    assert not os.access(file, os.F_OK) and not os.access(file, os.W_OK)
    assert file.name not in os.listdir(file.parent)


def test_a_controller_that_is_disabled(tree):
    """Its files go below, and other ones come with it again."""
    control(tree.path, "+memory")
    file = tree / "a" / "memory.max"
    file.chmod(0o600)
    see(file)
    control(tree.path, "-memory")
    assert_gone(file)
    control(tree.path, "+memory")
    assert file.read_text() == "max\n"
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_directory_of_the_name(tree):
    """The kernel has one, where there is no such file."""
    control(tree.path, "+pids")
    name = tree / "a" / "pids.max"
    see(name)
    control(tree.path, "-pids")
    name.mkdir()
    assert (name / "cgroup.procs").read_text() == ""
    name.rmdir()
    assert_gone(name)


def test_what_threads_have_not(tree):
    """A cgroup that becomes threaded loses controllers, as what is below it does."""
    control(tree.path, "+memory +cpu")
    (tree / "a" / "b").mkdir()
    files = [tree / "a" / name for name in ("memory.max", "memory.stat")]
    for file in files:
        see(file)
    (tree / "a" / "cgroup.type").write_text("threaded")
    for file in files:
        assert_gone(file)
    see(tree / "a" / "cpu.weight")


if os.path.exists("/proc/pressure"):  # else there are no such files
    def test_pressure_that_is_turned_off(tree):
        file = tree / "a" / "cpu.pressure"
        see(file)
        (tree / "a" / "cgroup.pressure").write_text("0")
        assert_gone(file)
        (tree / "a" / "cgroup.pressure").write_text("1")
        see(file)


def test_names_are_kept(start):
    """A file that was seen is opened without a question for its name."""
    mount = start("-d", "-o", "v2")
    (mount / "a").mkdir()
    file = mount / "a" / "cgroup.procs"
    file.read_text()
    os.statvfs(mount.path)
    for _ in range(3):
        os.close(os.open(file, os.O_RDONLY))
    status, log = mount.stop()
    requests = log.partition("opcode: STATFS")[2].partition("opcode: STATFS")[0]
    assert status == 0 and requests.count("opcode: OPEN ") == 3
    assert "LOOKUP" not in requests and "GETATTR" not in requests
