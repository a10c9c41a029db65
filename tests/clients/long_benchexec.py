# SPDX-License-Identifier: MIT
"""BenchExec's runexec: what a command used, and its end when that is too much."""

import os

import pytest

import trees

pytestmark = pytest.mark.version(2)
PYTHON = f"{os.environ.get('BENCHEXEC', trees.ROOT / 'build/clients-long/venv')}/bin/python3"
EATER = 'x=$(head -c 30000000 /dev/zero | tr "\\0" a); i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'


@pytest.fixture
def measure(tree):
    """runexec in a cgroup where nobody else is, as it wants; gives what it prints, by its names."""
    count = iter(range(100))

    def run(*words):
        name = f"{tree.unique}/{next(count)}"
        above = tree.path("", tree.unique)
        if not above.exists():
            tree.make_cgroup(tree.unique, ())
            controllers = (above / "cgroup.controllers").read_text().split()
            (above / "cgroup.subtree_control").write_text(" ".join(f"+{word}" for word in controllers))
        tree.path("", name).mkdir()
        enter = f'echo $$ >{trees.STANDARD}/{name}/cgroup.procs; exec "$@"'
        out = tree.out("sh", "-c", enter, "sh", PYTHON, "-m", "benchexec.runexecutor", "--no-container",
                       "--output", tree.directory / "output", *words)
        for path, _, _ in os.walk(tree.path("", name), topdown=False):
            os.rmdir(path)  # it leaves its own
        return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)

    yield run
    tree.remove_cgroup(tree.unique)


def test_figures(measure):
    seen = measure("--memlimit", "200MB", "--timelimit", "100", "--cores", "0", "--", "/bin/sh", "-c", EATER)
    assert seen["returnvalue"] == "0" and "terminationreason" not in seen
    assert 0 < float(seen["cputime"].rstrip("s")) <= float(seen["walltime"].rstrip("s")) + 0.1
    assert 30_000_000 < int(seen["memory"].rstrip("B")) < 200_000_000


def test_too_long(measure):
    seen = measure("--walltimelimit", "2", "--", "/bin/sh", "-c", "while :; do sh -c :; done")
    assert seen["terminationreason"] == "walltime" and seen["exitsignal"] == "9"
    assert float(seen["cputime"].rstrip("s")) > 0
