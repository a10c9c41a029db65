# SPDX-License-Identifier: MIT
"""What the build says where something is missing: it asks the compiler and pkg-config, never a package
manager."""

import os
import pathlib
import platform
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "install-deps.sh"
TABLE = ROOT / "scripts" / "dependencies"
MANAGERS = {"apt-get": "libfuse3-dev", "dnf": "fuse3-devel", "apk": "fuse3-dev", "pacman": "fuse3"}
TOOLS = "sh gcc as ld pkg-config sed tr grep sort dirname cut mktemp rm id cat".split()


@pytest.fixture
def programs(tmp_path):
    """A PATH without a package manager, and with nothing but what the script is written with."""
    for name in TOOLS:
        (tmp_path / name).symlink_to(shutil.which(name))
    return tmp_path


def refuse_to_run(programs, name):
    """A program that must not be run."""
    (programs / name).write_text(f"#!/bin/sh\necho ran >>{programs}/{name}.ran\nexit 1\n")
    (programs / name).chmod(0o755)


def run(programs, *arguments, **environment):
    return subprocess.run(["/bin/sh", SCRIPT, *arguments], text=True, capture_output=True, check=False,
                          env={"PATH": str(programs), "TMPDIR": str(programs), **environment})


def rows():
    return [line.split() for line in TABLE.read_text().splitlines()
            if line.strip() and not line.startswith("#")]


def test_every_row_has_all_columns():
    assert [row for row in rows() if len(row) != 6] == []


def needs():
    """{target: its prerequisites, as lists of one word or of a deps-'s sets}"""
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    rules = [line.split(":", 1) for line in makefile.splitlines() if re.match(r"[a-z][\w -]*:(?!.*=)", line)]
    return {target: [word.removeprefix("deps-").split("+") if word.startswith("deps-") else [word]
                     for word in words.split()] for targets, words in rules for target in targets.split()}


def test_every_set_of_the_makefile_is_there():
    makefile = (ROOT / "Makefile").read_text()
    wanted = {name for sets in re.findall(r"\bdeps-([a-z+-]+)", makefile) for name in sets.split("+")}
    assert wanted and wanted <= {name for row in rows() for name in row[0].split(",")}


def test_all_that_is_missing_is_named_at_once():
    """What a target's prerequisites need is asked for by the first of them."""
    rules = needs()
    asks = {target: set(words[0] if len(words[0]) > 1 or words[0] == ["build"] else
                        sum(rules.get(words[0][0], []), [])) for target, words in rules.items() if words}
    later = {target: {name for word in words[1:] for name in asks.get(word[0], set())} - asks[target]
             for target, words in rules.items() if len(words) > 1}
    assert later and not {target: names for target, names in later.items() if names}


def test_other_c_libraries_are_refused():
    """In one line, and before anything is asked to be installed."""
    result = subprocess.run([SCRIPT, "--check", "build"], text=True, capture_output=True, check=False,
                            env={**os.environ, "CC": "musl-gcc"})
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"fuse_cgroupfs needs glibc .*: musl-gcc has another .*\n", result.stderr)


def test_unknown_set(programs):
    result = run(programs, "nonsense")
    assert (result.returncode, result.stderr) == (2, "install-deps.sh: unknown set 'nonsense'\n")


def test_nothing_is_said_where_all_is_there(programs):
    result = run(programs, "--check", "build")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("manager", MANAGERS)
def test_says_what_to_install(programs, manager):
    refuse_to_run(programs, manager)
    result = run(programs, "--check", "build", PKG_CONFIG="false")
    lines = result.stderr.splitlines()
    assert result.returncode == 1 and len(lines) == 2
    assert "fuse3>=3.10" in lines[0] and lines[0].startswith("fuse_cgroupfs needs what is not here: ")
    assert lines[1].split()[0] == manager and MANAGERS[manager] in lines[1].split()
    assert not (programs / f"{manager}.ran").exists()


def test_says_it_for_all_where_none_is_known(programs):
    result = run(programs, "build", PKG_CONFIG="false")
    assert result.returncode == 1
    assert [line.split()[0] for line in result.stderr.splitlines()[1:]] == list(MANAGERS)


def test_names_a_header_without_pkg_config(programs):
    result = run(programs, "--check", "build", CC="gcc -nostdinc")
    assert "uthash.h" in result.stderr and "uthash-dev" in result.stderr


def test_make_alone_installs_nothing(programs):
    """Not even as root with apt-get there."""
    for name in ("make", "uname", "mkdir"):
        (programs / name).symlink_to(shutil.which(name))
    refuse_to_run(programs, "apt-get")
    result = subprocess.run(["make", "-C", ROOT, "PKG_CONFIG=false", f"BUILD={programs}/build"], text=True,
                            capture_output=True, check=False,
                            env={"PATH": str(programs), "TMPDIR": str(programs)})
    assert result.returncode and "libfuse3-dev" in result.stderr
    assert not (programs / "apt-get.ran").exists()


def test_no_package_database_is_asked():
    for path in (SCRIPT, ROOT / "Makefile"):
        assert "dpkg" not in path.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="as an ordinary user apt-get is not run at all")
def test_root_installs_what_is_missing(programs):
    refuse_to_run(programs, "apt-get")
    (programs / "chmod").symlink_to(shutil.which("chmod"))
    assert run(programs, "build", PKG_CONFIG="false").returncode
    assert (programs / "apt-get.ran").exists()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="-m32 is of gcc for x86")
def test_one_line_on_32_bit_machines(tmp_path):
    result = subprocess.run(["make", "-C", ROOT, "--no-print-directory", "-s", f"BUILD={tmp_path}",
                             "CFLAGS=-m32"],
                            text=True, capture_output=True, check=False)
    first, *rest = result.stderr.splitlines()
    assert result.returncode and first.startswith("fuse_cgroupfs is for 64-bit machines: ")
    assert len(rest) == 1 and rest[0].startswith("make")
