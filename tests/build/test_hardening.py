# SPDX-License-Identifier: MIT
"""What the compiler and the linker can do against an attacker is in the programs."""

import os
import pathlib
import platform
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = [pathlib.Path(os.environ.get(variable, ROOT / "build" / name)) for variable, name in
            (("FUSE_CGROUPFS", "fuse_cgroupfs"), ("FUSE_CGROUP_RUN", "fuse_cgroup_run"),
             ("FUSE_CGROUP_CNI", "fuse_cgroup_cni"))]
X86 = platform.machine() == "x86_64"


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *map(str, arguments)], text=True, capture_output=True,
                          check=True).stdout


def symbols(program):
    """Names of all that it takes from libraries."""
    return set(re.findall(r" UND (\w+)", readelf("--syms", program)))


@pytest.fixture(params=PROGRAMS, ids=lambda path: path.name)
def program(request):
    return request.param


def test_position_is_not_fixed(program):
    assert re.search(r"Type:\s+DYN", readelf("-h", program))
    assert re.search(r"\(FLAGS_1\).*\bPIE\b", readelf("-d", program))


def test_all_that_is_relocated_is_read_only(program):
    assert "GNU_RELRO" in readelf("-l", program)
    assert re.search(r"\(FLAGS_1\).*\bNOW\b", readelf("-d", program))


def test_no_memory_can_be_written_and_executed(program):
    headers = readelf("-l", program)
    stack = re.search(r"GNU_STACK.*", headers)[0]
    assert " RW " in stack and "RWE" not in headers


def test_stack_protector(program):
    assert "__stack_chk_fail" in symbols(program)


def test_library_calls_are_bounded(program):
    found = symbols(program)
    by_sanitizer = any(name.startswith(("__asan", "__tsan")) for name in found)
    assert by_sanitizer or "__snprintf_chk" in found


def objects(program):
    sources = sorted((ROOT / "src").glob("**/*.c"))
    found = [path for each in sources
             if (path := program.parent / "obj" / each.relative_to(ROOT / "src").with_suffix(".o")).exists()]
    if not found:
        pytest.skip(f"there are no objects beside {program}")
    return found


@pytest.mark.skipif(not X86, reason="control-flow enforcement is of x86")
def test_control_flow_is_marked(program):
    """Of each object: Debian's own start files are not marked, so that no whole program is."""
    found = objects(program)
    notes = readelf("-n", *found)
    assert notes.count("x86 feature: IBT, SHSTK") == len(found)


def test_stack_does_not_clash(program):
    """GNU C records its options beside the debugging symbols."""
    producers = re.findall(r"DW_AT_producer.*GNU C.*", readelf("--debug-dump=info", objects(program)[0]))
    if not producers:
        pytest.skip("not built by gcc with -g, which alone tells how it was")
    assert all("-fstack-clash-protection" in line for line in producers)


def flags(*variables):
    """The command that would compile an object, with these variables of make."""
    lines = subprocess.run(["make", "--no-print-directory", "-nB", "BUILD=build", "SANITIZE=", *variables,
                            "build/obj/base/number.o"], cwd=ROOT, text=True, capture_output=True,
                           check=True).stdout.splitlines()
    return next(line for line in lines if " -c " in line)


def test_fortified_with_what_the_compiler_has():
    source = ["-O2", "-D_FORTIFY_SOURCE=3", "-Werror", "-include", "string.h", "-xc", "-c", "-o/dev/null",
              "/dev/null"]
    level = 2 if subprocess.run(["gcc", *source], capture_output=True, check=False).returncode else 3
    assert f"-D_FORTIFY_SOURCE={level}" in flags("CC=gcc", "CFLAGS=-O2", "CPPFLAGS=")


def test_users_flags_are_respected():
    command = flags("CPPFLAGS=-DOF_THE_USER -D_FORTIFY_SOURCE=1", "CFLAGS=-O1 -fno-strict-aliasing")
    assert "-DOF_THE_USER" in command and "-O1 -fno-strict-aliasing" in command
    assert re.findall(r"_FORTIFY_SOURCE\S*", command) == ["_FORTIFY_SOURCE=1"]


def test_warnings_are_errors_only_when_asked():
    assert "-Werror" not in flags("WERROR=").split()
    assert "-Werror" in flags("WERROR=1").split()
