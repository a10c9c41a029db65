"""Tests of fuse_cgroup_run, most with the machine's own cgroups taken away and with them there."""

import pathlib

import pytest

import launcher
import mounting
import processes


def pytest_collection_modifyitems(items):
    here = pathlib.Path(__file__).parent
    reason = launcher.why_not()
    for item in items:
        if reason and here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def time_limit():
    with mounting.time_limit(mounting.TEST_SECONDS):
        yield


@pytest.fixture(scope="module",
                params=[launcher.WITHOUT_CGROUPS, launcher.WITH_CGROUPS],
                ids=["without cgroups", "with cgroups"])
def inside(request):
    """A program under the launcher."""
    with launcher.Inside(wrapper=request.param) as program:
        yield program


@pytest.fixture(scope="module")
def limited():
    """A program that is shown limits."""
    with launcher.Inside("--memory", "512M", "--cpus", "1.5", "--pids-limit", "100") as program:
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
            assert daemon.stop() == (0, "")
        assert not mounting.mounts_on(path)
