# SPDX-License-Identifier: MIT
"""Each message of the launcher's command line, a row each: what is given, and the one line that is said."""

import os
import re
import sys

import pytest

import launcher
import mounting
from launcher import RUN

sys.path.insert(0, str(mounting.ROOT / "tests"))

import messages  # noqa: E402

HINT = "--help shows the options"
SIZE = "a size is a number with b, k, m, g, t or p after it, as 512m or 1.5g"
LIST = "it is a list of numbers, as 0-2,5"

# Options, and what is said, as a regular expression.
LINES = [
    ([], f"no command given; {HINT}"),
    (["--nonsense", "true"], f"there is no option --nonsense; {HINT}"),
    (["-z", "true"], f"there is no option -z; {HINT}"),
    (["--root"], f"a value is missing after --root; {HINT}"),
    (["-m"], f"a value is missing after -m; {HINT}"),
    (["--at", "here", "true"], f"--at must be an absolute path below /, not here; {HINT}"),
    (["--backend", "x", "true"], f"--backend must be notify or trace, not x; {HINT}"),
    (["--memory", "5x", "true"], f"--memory cannot be '5x': {SIZE}"),
    (["-m", "-1", "true"], f"--memory cannot be '-1': {SIZE}"),
    (["-m", "512", "true"], r"--memory cannot be less than docker's least, 6m \(512m: mega, 512: bytes\)"),
    (["--memory-swap", "x", "true"], f"--memory-swap cannot be 'x': {SIZE}, and -1 is no limit"),
    (["--memory-swap", "1g", "true"], "--memory-swap needs --memory: give that too"),
    (["-m", "2g", "--memory-swap", "1g", "true"],
     "--memory-swap is memory and swap: it cannot be less than --memory"),
    (["--memory-reservation", "x", "true"], f"--memory-reservation cannot be 'x': {SIZE}"),
    (["--memory-reservation", "1m", "true"],
     r"--memory-reservation cannot be less than docker's least, 6m \(512m: mega, 512: bytes\)"),
    (["-m", "1g", "--memory-reservation", "2g", "true"], "--memory-reservation cannot be more than --memory"),
    (["--memory-swappiness", "101", "true"],
     "--memory-swappiness cannot be '101': it is a number from 0 to 100"),
    (["--cpus", "-1", "true"],
     "--cpus cannot be '-1': processors are counted from 0.01, with up to nine digits of "
                               "fraction, as 1.5"),
    (["--cpus", "1000", "true"],
     rf"--cpus cannot be more than {os.sysconf('SC_NPROCESSORS_ONLN')}.00: there are only so many "
     rf"processors here"),
    (["--cpus", "1", "--cpu-quota", "5000", "true"],
     "--cpus is a quota and a period: leave out --cpu-quota and --cpu-period"),
    (["--cpus", "1", "--cpu-period", "5000", "true"],
     "--cpus is a quota and a period: leave out --cpu-quota and --cpu-period"),
    (["--cpu-quota", "999", "true"],
     "--cpu-quota cannot be '999': it is a number of us from 1000, and -1 is no limit"),
    (["--cpu-period", "999", "true"],
     "--cpu-period cannot be '999': it is a number of us from 1000 to 1000000"),
    (["--cpu-period", "1000001", "true"],
     "--cpu-period cannot be '1000001': it is a number of us from 1000 to 1000000"),
    (["-c", "1", "true"],
     "--cpu-shares cannot be '1': it is a number from 2, and 1024 is the kernel's default"),
    (["--cpuset-cpus", "", "true"], f"--cpuset-cpus cannot be '': {LIST}"),
    (["--cpuset-mems", "", "true"], f"--cpuset-mems cannot be '': {LIST}"),
    (["--blkio-weight", "9", "true"], "--blkio-weight cannot be '9': it is a number from 10 to 1000"),
    (["--blkio-weight", "1001", "true"], "--blkio-weight cannot be '1001': it is a number from 10 to 1000"),
    (["--pids-limit", "few", "true"], "--pids-limit cannot be 'few': it is a number, and -1 is no limit"),
    (["--cgroup-parent", "../x", "true"], "--cgroup-parent cannot be '../x': it is the path of a cgroup, as "
                                          '/pods/web, without ".." and of 40 bytes at most'),
    (["--cgroup-parent", "x" * 41, "true"], "--cgroup-parent cannot be 'x+': .* of 40 bytes at most"),
    (["--cpuset-cpus", "99999", "true"], r"cpuset.cpus cannot be 99999: .*: there are [\d,-]+"),
    (["--cpuset-mems", "63", "true"], r"cpuset.mems cannot be 63: .*: there are [\d,-]+"),
    (["--v2", "--cpuset-cpus", "99999", "true"], r"cpuset.cpus cannot be 99999: .*: there are [\d,-]+"),
]


@pytest.mark.parametrize("arguments, expected", LINES,
                         ids=[" ".join(row[0])[:50] or "nothing" for row in LINES])
def test_line(arguments, expected):
    with launcher.temporary() as directory:
        result = mounting.subprocess.run([*launcher.WITHOUT_CGROUPS, RUN, *arguments], text=True, check=False,
                                         capture_output=True, env=launcher.environment(directory))
    assert result.stdout == ""
    assert re.fullmatch(f"fuse_cgroup_run: {expected}", launcher.complaint(result))


def test_every_message_of_the_command_line_has_a_row():
    rows = [f"fuse_cgroup_run: {row[-1]}".replace("\\", "") for row in LINES]
    missing = [text for file, text in messages.not_said("src/run", rows, ["%s\\n"])
               if file in ("options.c", "limit_options.c")]
    assert missing == []


def test_v2_has_no_swappiness():
    """docker warns and leaves it out; the command runs."""
    result = launcher.launch("true", options=["--v2", "--memory-swappiness", "0"])
    assert (result.returncode, result.stderr) == (
        0, "fuse_cgroup_run: --memory-swappiness: cgroup v2 has none: left out (--v1 has it)\n")
