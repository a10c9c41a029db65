# SPDX-License-Identifier: MIT
"""Tests of fuse_cgroup_run, most with the machine's own cgroups taken away and with them there."""

import os
import pathlib
import subprocess
import tempfile

import pytest

import launcher  # first: it says where the others are
import exceptions
import mounting
import places
import processes


def pytest_collection_modifyitems(items):
    here = pathlib.Path(__file__).parent
    reason = launcher.why_not()
    for item in items:
        if reason and here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))
    ours = [item for item in items if here in item.path.parents]
    if mounting.in_gvisor():
        exceptions.expect(ours, here.parent / "gvisor" / "run_exceptions", "gVisor")
    elif launcher.BACKEND == "trace":
        exceptions.expect(ours, here / "trace_exceptions", "traced")


@pytest.fixture(autouse=True)
def time_limit():
    with mounting.time_limit(mounting.TEST_SECONDS):
        yield


@pytest.fixture(scope="module",
                params=[launcher.WITHOUT_CGROUPS, launcher.WITH_CGROUPS],
                ids=["without cgroups", "with cgroups"])
def inside(request):
    """A program under the launcher."""
    if os.geteuid() and request.param_index == 0:
        pytest.skip("needs root: it takes the machine's cgroups away")
    with launcher.Inside(wrapper=request.param) as program:
        yield program


@pytest.fixture(scope="module")
def limited():
    """A program that is shown limits."""
    with launcher.Inside("--memory", "512M", "--cpus", "0.5", "--pids-limit", "100") as program:
        yield program


@pytest.fixture(scope="module")
def mount():
    """A daemon, mounted where nobody looks for cgroups."""
    with mounting.mount_point() as path:
        daemon = mounting.Daemon(path)
        yield daemon
        assert daemon.stop() == (0, "")


@pytest.fixture(scope="module")
def redirected(mount):
    """A program whose paths are led there."""
    with launcher.Inside("--redirect", "--root", str(mount.path)) as program:
        yield program


@pytest.fixture
def spawn():
    """Starts processes that sleep, and ends them with the test."""
    with processes.Sleepers() as sleepers:
        yield sleepers


@pytest.fixture
def start():
    """Starts a fuse_cgroupfs with options; at the end it must leave cleanly and have said nothing."""
    with mounting.mount_point() as path:
        daemons = []

        def start_daemon(*options):
            daemons.append(mounting.Daemon(path, *options))
            return daemons[-1]

        yield start_daemon
        for daemon in daemons:
            if daemon.process.poll() is None:
                assert daemon.stop() == (0, "")
        assert not mounting.mounts_on(path)


@pytest.fixture(scope="session")
def programs():
    """Compiles a program of tests/run/programs: its path."""
    with tempfile.TemporaryDirectory(prefix="fcg-programs-", dir=places.temporary()) as directory:
        pathlib.Path(directory).chmod(0o755)

        def compile_program(name, *flags, compiler="gcc"):
            binary = pathlib.Path(directory, name)
            source = launcher.HERE / "programs" / f"{name}.c"
            subprocess.run([compiler, "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror",
                            "-D_GNU_SOURCE", "-o", binary, source, *flags], check=True)
            return binary

        yield compile_program


@pytest.fixture
def fuse_file(programs):
    """A FUSE filesystem that is not ours: the program."""
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], text=True,
                           capture_output=True, check=True).stdout.split()
    return programs("fuse_file", *flags)
