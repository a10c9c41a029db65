# SPDX-License-Identifier: MIT
"""Copies from cgroup files, whose size is 0: programs print what a plain read gives."""

import os
import shutil

import pytest

import copies
import launcher
from launcher import AT, launch, shell

FILE = f"{AT}/devices/devices.list"
CONTENT = b"a *:* rwm\n"
WAYS = pytest.mark.parametrize("way", copies.WAYS)
COPYFILE = (launcher.PYTHON, "-c", "import shutil, sys; shutil.copyfile(*sys.argv[1:])")
UUTILS = "/usr/bin/coreutils"  # Debian's rust-coreutils


@pytest.fixture
def out(inside):
    """A file to copy to."""
    path = str(inside.directory / "out")
    yield path
    os.unlink(path)


# --- what is copied ---

@WAYS
def test_a_copy_is_what_a_read_gives(inside, out, way):
    assert inside.call(copies.read_of, FILE) == CONTENT
    assert inside.call(copies.to_file, way, FILE, out) == CONTENT
    assert inside.call(copies.to_pipe, way, FILE) == CONTENT


@WAYS
def test_tables(inside, out, way):
    """Their size is 0, too."""
    for path in ("/proc/cgroups", "/proc/self/cgroup"):
        expected = inside.call(copies.read_of, path)
        assert b"memory" in expected
        assert inside.call(copies.to_file, way, path, out) == expected
        assert inside.call(copies.to_pipe, way, path) == expected


@pytest.mark.parametrize("command", [
    ("busybox", "cat", "FILE"), ("busybox", "dd", "status=none", "if=FILE"),
    ("busybox", "tail", "-n", "99", "FILE"),
    ("cat", "FILE"), ("dd", "status=none", "if=FILE"), ("tail", "-n", "99", "FILE"),
    (UUTILS, "cat", "FILE"), (UUTILS, "head", "-n", "99", "FILE"), (UUTILS, "dd", "status=none", "if=FILE"),
], ids=" ".join)
def test_programs(command, tmp_path):
    """To a pipe, a file, and /dev/null, where some do not copy at all."""
    if not shutil.which(command[0]):
        pytest.skip(f"needs {command[0]}")
    words = [word.replace("FILE", FILE) for word in command]
    out = tmp_path / "out"
    result = shell('out=$1; shift; "$@"; "$@" | cat; "$@" >"$out"; "$@" >/dev/null', out, *words)
    assert (result, out.read_bytes()) == (2 * CONTENT.decode(), CONTENT)


@pytest.mark.parametrize("command", [("cp",), ("busybox", "cp"), (UUTILS, "cp"), COPYFILE],
                         ids=lambda command: " ".join(command[:2]))
def test_programs_that_copy_files(command, tmp_path):
    if not shutil.which(command[0]):
        pytest.skip(f"needs {command[0]}")
    assert shell('"$@"', *command, FILE, tmp_path / "out") == ""
    assert (tmp_path / "out").read_bytes() == CONTENT


def test_programs_that_count(tmp_path):
    if not shutil.which(UUTILS):
        pytest.skip(f"needs {UUTILS}: rust-coreutils")
    count = f"{len(CONTENT)}\n"
    script = 'coreutils wc -c <"$1"; coreutils cat "$1" | coreutils wc -c; wc -c <"$1"'
    assert shell(script, FILE) == 3 * count


# --- what is answered ---

# Of the file's content, to its end, and from its start; the kernel copies no range to another filesystem
# (Linux 5.19), and nothing where nothing is to be copied.
COPIED = [10, 10, 0, 10, "EXDEV", 0]
REFUSED = 4 * ["EINVAL"] + ["EXDEV", 0]
DOES_COPY = tuple(map(int, os.uname().release.split(".")[:2])) < (6, 5)


def test_answers(inside, out):
    with open(out, "wb"):
        pass
    assert inside.call(copies.answers, FILE, out) == (COPIED if DOES_COPY else REFUSED)


def test_answers_where_the_kernel_copies(start, tmp_path):
    """The daemon shows a size: FUSE copies."""
    (tmp_path / "out").touch()
    with launcher.Inside("--root", start("-o", "sendfile").path) as program:
        assert program.call(copies.answers, FILE, str(tmp_path / "out")) == COPIED


def test_range_to_another_fuse(start):
    """FUSE would copy between its own, and end at st_size."""
    other = start().path / "cpu" / "cpu.shares"
    with launcher.Inside() as program:
        assert program.call(copies.answers, FILE, str(other))[-2] == "EXDEV"


def test_range_within_the_tree(inside):
    """Between files of one filesystem the kernel ends at st_size, too."""
    assert inside.call(copies.answers, FILE, f"{AT}/cpu/cpu.shares")[-2] == 0


def test_refusals(inside):
    """The kernel says what is wrong with the rest."""
    native = copies.refused("/etc/passwd")
    assert inside.call(copies.refused, FILE) == native
    assert inside.call(copies.refused, "/etc/passwd") == native


def test_other_files_are_left_alone(inside, out, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"x" * 10000)
    for way in copies.WAYS:
        assert inside.call(copies.to_file, way, str(other), out) == other.read_bytes()
        assert inside.call(copies.to_pipe, way, str(other)) == other.read_bytes()


# --- who copies ---

@pytest.fixture
def owned(inside):
    """A devices cgroup whose owner is nobody but its owner."""
    path = f"{AT}/devices/owned"
    inside.call(os.mkdir, path)
    for name in ("devices.deny", "devices.list"):
        inside.call(os.chown, f"{path}/{name}", 65534, 65534)
    yield path
    inside.call(os.rmdir, path)


@WAYS
def test_rights_are_the_callers(inside, owned, way):
    """devices.deny asks for CAP_SYS_ADMIN, whoever owns it."""
    assert inside.call(copies.as_user, 65534, copies.deny_all, way, owned) == "('EPERM', 'EPERM')"
    assert inside.call(copies.read_of, f"{owned}/devices.list") == CONTENT


@WAYS
def test_sender_is_the_caller(inside, way):
    assert inside.call(copies.as_user, 65534, copies.credentials, way, FILE) == "True"


def test_numbers_are_the_readers(tmp_path):
    """cgroup.procs names processes as the namespace of whoever reads it does."""
    if not shutil.which("busybox"):
        pytest.skip("needs busybox")
    script = f"""
        mkdir {AT}/cpu/inner
        unshare -pf --mount-proc sh -c 'echo $$ >{AT}/cpu/inner/cgroup.procs
            busybox cat {AT}/cpu/inner/cgroup.procs >"$1"; cat "$1"' sh "$1"
        rmdir {AT}/cpu/inner"""
    assert shell(script, tmp_path / "out").split()[0] == "1"


@WAYS
def test_limits_are_the_callers(inside, out, way):
    assert inside.call(copies.limited, way, FILE, out, 4) == ("EFBIG", 4)


@WAYS
def test_handlers_run_while_a_copy_waits(way):
    program = (f"import sys; sys.path.insert(0, '{launcher.HERE}'); import copies;"
               f"print(copies.interrupted('{way}', '{FILE}'))")
    result = launch(launcher.PYTHON, "-c", program)
    assert (result.returncode, result.stdout, result.stderr) == (0, "True\n", "")


@WAYS
def test_copies_that_wait_cost_no_threads(inside, way):
    supervisor = launcher.supervisor_of(inside.pid)
    before = len(os.listdir(f"/proc/{supervisor}/task"))
    after = inside.call(copies.threads_while_copying, way, FILE, 50, supervisor)
    assert after <= before + 5


def test_a_broken_pipe_ends_a_copy():
    """`cat | head` ends quietly."""
    program = (f"import sys; sys.path.insert(0, '{launcher.HERE}'); import copies, os, signal;"
               "signal.signal(signal.SIGPIPE, signal.SIG_DFL); r, w = os.pipe(); os.close(r);"
               f"copies.by_sendfile(os.open('{FILE}', 0), w); print('went on')")
    assert shell('"$1" -c "$2" || echo $?', launcher.PYTHON, program) == f"{128 + 13}\n"
