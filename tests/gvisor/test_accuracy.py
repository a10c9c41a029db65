# SPDX-License-Identifier: MIT
"""Our figures beside gVisor's own, of the same processes: beside.py. The tracer tells our daemon of forks."""

import pathlib
import subprocess

import pytest

import launcher
import mounting

TICKS = 2e7  # ns: two of them, in which gVisor counts
BESIDE = pathlib.Path(__file__).with_name("beside.py")


@pytest.fixture
def native(tmp_path):
    """gVisor's own hierarchies."""
    names = ("cpuacct", "memory", "pids")
    for name in names:
        (tmp_path / name).mkdir()
        subprocess.run(["mount", "-t", "cgroup", "-o", name, name, tmp_path / name], check=True)
    yield tmp_path
    for name in names:
        subprocess.run(["umount", tmp_path / name], check=True)


def test_as_gvisor_counts(native):
    with launcher.temporary() as directory:
        command = launcher.command_line(launcher.PYTHON, BESIDE, native, options=["--v1"])
        result = subprocess.run(command, text=True, capture_output=True, check=False,
                                timeout=mounting.TEST_SECONDS, env=launcher.environment(directory))
    assert (result.returncode, result.stderr) == (0, ""), result
    figures = {what: numbers for what, *numbers in
               (line.split("\t") for line in result.stdout.splitlines())}
    members, shown, _ = figures.pop("members")
    assert members == shown and members.count(",") == 1
    for what, (before, ours, after) in figures.items():
        part, ticks = (0.05, 0) if what == "memory" else (0.02, TICKS)
        assert int(before) * (1 - part) - ticks <= int(ours) <= int(after) * (1 + part) + ticks, result.stdout
    assert len(figures) == 4
