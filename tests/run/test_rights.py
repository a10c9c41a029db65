# SPDX-License-Identifier: MIT
"""What a task may not do itself is not done for it."""

import os
import re

import pytest

import launcher
import probes
import rights
from launcher import AT, Inside
from processes import NOBODY, as_nobody, error_of

OURS = re.compile(" - cgroup cgroup rw,cpu$", re.M)


@pytest.fixture(scope="module")
def program():
    with Inside() as inside:
        yield inside


@pytest.fixture(scope="module")
def places():
    """Directories that not everybody may search, with links to a table and to the tree."""
    with launcher.temporary() as top:
        top.chmod(0o755)
        for name, mode, user, group in (("root", 0o700, 0, 0), ("nobody", 0o700, NOBODY, NOBODY),
                                        ("group", 0o710, 1234, 4321), ("all", 0o711, 0, 0)):
            directory = top / name
            directory.mkdir()
            (directory / "mtab").symlink_to("/proc/self/mountinfo")
            (directory / "tree").symlink_to(f"{AT}/cpu")
            (directory / "target").mkdir()
            os.chown(directory, user, group)
            directory.chmod(mode)
        yield top
        for name in ("root", "nobody", "group", "all"):
            for link in ("mtab", "tree"):
                (top / name / link).unlink()
            (top / name / "target").rmdir()
            (top / name).rmdir()


DIRECTORIES = ("root", "nobody", "group", "all")


@pytest.mark.parametrize("who", rights.WHO, ids=lambda who: who.__name__)
def test_walks(program, places, who):
    """Below such a directory: the kernel's errors, of a table and of the tree alike."""
    paths = [f"{places}/{name}/mtab" for name in DIRECTORIES]
    expected = rights.as_task(who, rights.openings, paths)
    assert program.call(rights.as_task, who, rights.openings, paths) == expected
    trees = program.call(rights.as_task, who, rights.openings,
                         [f"{places}/{name}/tree" for name in DIRECTORIES])
    assert [error for _, error in trees] == [error for _, error in expected]


def test_what_may_be_walked_is_ours(program, places):
    for who, name in ((rights.nobody, "nobody"), (rights.a_group_of_nobodys, "group"), (rights.nobody, "all"),
                      (rights.root_that_overrides_nothing, "root"),
                      (rights.root_of_a_user_namespace, "nobody")):
        assert OURS.search(program.call(rights.as_task, who, probes.read, f"{places}/{name}/mtab")), name
        assert program.call(rights.as_task, who, probes.statfs,
                            f"{places}/{name}/tree")["type"] == probes.CGROUP


@pytest.mark.parametrize("who, name, error", [
    (rights.root_that_overrides_nothing, "nobody", "EACCES"), (rights.nobody, "root", "EACCES"),
    (rights.nobody, "all", "EPERM"), (rights.root_that_overrides_nothing, "all", None),
    (rights.root_of_a_user_namespace, "nobody", "EPERM"), (rights.root_of_its_own_mounts, "nobody", "EPERM"),
    (rights.root_of_all_namespaces, "nobody", None)],
    ids=lambda part: getattr(part, "__name__", None))
def test_mounts(program, places, who, name, error):
    assert program.call(rights.as_task, rights.root, rights.in_private_namespace, rights.as_task, who,
                        rights.mounting, f"{places}/{name}/target") == error


def test_hidden_processes(program, places):
    """Of a proc filesystem with hidepid=2."""
    others = [1, program.call(os.getpid), 999999999]
    arguments = (rights.root, rights.in_private_namespace, rights.with_hidden_processes,
                 f"{places}/all/target", others)
    expected = rights.as_task(*arguments)
    assert expected == 3 * [None, "ENOENT", "ENOENT", "ENOENT"]
    assert program.call(rights.as_task, *arguments) == expected


def test_processes_alone(program, places):
    """Of a proc filesystem with subset=pid."""
    arguments = (rights.root, rights.in_private_namespace, rights.with_processes_alone,
                 f"{places}/all/target")
    expected = rights.as_task(*arguments)
    assert expected == ["ENOENT", "ENOENT", None, None]
    assert program.call(rights.as_task, *arguments) == expected


def test_links_of_others(program, places):
    """fs.protected_symlinks: the last link of a path, in a directory like /tmp."""
    sticky = places / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    try:
        as_nobody(lambda: os.symlink(f"{AT}/cpu", sticky / "tree"))
        as_nobody(lambda: os.symlink("/proc/self/mountinfo", sticky / "mtab"))
        os.symlink(f"{AT}/cpu", sticky / "own")
        expected = rights.opening(f"{sticky}/mtab")
        assert expected == (None if probes.read("/proc/sys/fs/protected_symlinks") == "0\n" else "EACCES")
        assert program.call(rights.opening, f"{sticky}/mtab") == expected
        assert program.call(rights.statfs, f"{sticky}/tree") == expected
        assert program.call(rights.statfs, f"{sticky}/own") is program.call(rights.statfs,
                                                                            f"{sticky}/tree/..") is None
        assert program.call(rights.as_task, rights.nobody, rights.statfs, f"{sticky}/tree") is None
    finally:
        for link in sticky.iterdir():
            link.unlink()
        sticky.rmdir()


def test_links_that_lead_nowhere(program, places):
    arguments = (rights.root, rights.in_private_namespace, rights.where_links_lead_nowhere,
                 f"{places}/all/target")
    expected = rights.as_task(*arguments)
    assert [error for error, _ in expected] == ["ELOOP", "ELOOP", None]
    assert program.call(rights.as_task, *arguments) == expected


# --- Landlock ---


def has_landlock():
    return error_of(probes.syscall, rights.SYS_LANDLOCK_CREATE, None, 0, 1) is None


needs_landlock = pytest.mark.skipif(not has_landlock(), reason="the kernel has no Landlock")
RESTRICTED = [rights.root, rights.nobody]


@needs_landlock
@pytest.mark.parametrize("who", RESTRICTED, ids=lambda who: who.__name__)
def test_landlock(program, who):
    """The kernel says what may be read; what may is the kernel's own."""
    arguments = (who, rights.restricted_to, ["/etc"], rights.openings,
                 ["/proc/self/mountinfo", "/etc/passwd"])
    expected = rights.as_task(*arguments)
    assert [error for error, _ in expected] == ["EACCES", None]
    assert program.call(rights.as_task, *arguments) == expected
    permitted = program.call(rights.as_task, who, rights.restricted_to, ["/proc"], probes.read,
                             "/proc/self/mountinfo")
    assert permitted and not OURS.search(permitted)
    assert OURS.search(program.call(rights.as_task, who, probes.read, "/proc/self/mountinfo"))


@needs_landlock
@pytest.mark.parametrize("who", RESTRICTED, ids=lambda who: who.__name__)
def test_landlock_of_children(program, who):
    """Whoever their parent is then."""
    assert program.call(rights.as_task, who, rights.restricted_to, [], rights.orphan, rights.opening,
                        "/proc/self/mountinfo") == "'EACCES'"


@needs_landlock
def test_landlock_and_mounts(program, places):
    assert program.call(rights.as_task, rights.root, rights.in_private_namespace, rights.restricted_to, ["/"],
                        rights.mounting, f"{places}/all/target") == "EPERM"


# --- --redirect ---


@pytest.fixture(params=[(0, 0o600), (0, 0o644), (NOBODY, 0o600)], ids=["root's", "readable", "nobody's"])
def file(mount, request):
    """Whose it is, and its mode: again before each look."""
    owner, mode = request.param

    def prepare():
        os.chown(mount / "cpu" / "cpu.shares", owner, owner)
        os.chmod(mount / "cpu" / "cpu.shares", mode)

    yield prepare
    os.chown(mount / "cpu" / "cpu.shares", 0, 0)
    os.chmod(mount / "cpu" / "cpu.shares", 0o644)


@pytest.mark.parametrize("who", rights.WHO, ids=lambda who: who.__name__)
def test_redirected_calls(mount, redirected, file, who):
    """The same by either path, whatever rights the task has."""
    answers = []
    for base in (mount.path, AT):
        file()
        answers.append(redirected.call(rights.as_task, who, rights.in_the_tree, f"{base}/cpu/cpu.shares"))
    assert answers[0] == answers[1]


@needs_landlock
def test_redirected_calls_below_landlock(redirected):
    """Nobody can tell what it may."""
    assert redirected.call(rights.as_task, rights.nobody, rights.restricted_to, ["/"], rights.openings,
                           [f"{AT}/cpu/cpu.shares"]) == [("EACCES", "EACCES")]
