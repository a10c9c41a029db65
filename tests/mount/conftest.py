# SPDX-License-Identifier: MIT
"""Tests through a mount. They need no cgroup in the kernel and run on Linux and in gVisor."""

import os
import pathlib
import signal

import pytest

import exceptions
import mounting
import processes

GVISOR = mounting.ROOT / "tests" / "gvisor" / "exceptions"


def pytest_addoption(parser):
    parser.addoption("--kernel", action="store_true",
                     help="hold the tests themselves against the kernel's own cgroup v1")


def pytest_configure(config):
    config.addinivalue_line("markers", "daemon: about the daemon or its roots; not for --kernel")
    config.addinivalue_line("markers", "resident: of the daemon's size; a sanitizer keeps freed memory")
    config.addinivalue_line("markers",
                            "native: a sanitizer needs /proc, and at its end waits for threads that hang")
    config.addinivalue_line("markers", "locks: about locks that Linux' processes hold; gVisor has others")
    config.addinivalue_line("markers", "news: polls for news, of which gVisor's FUSE tells nobody")
    config.addinivalue_line("markers", "events: of the kernel's events of processes; gVisor has none")


def pytest_collection_modifyitems(items, config):
    if mounting.SANITIZED:
        leave_out(items, config, "resident")
        leave_out(items, config, "native")
    if mounting.in_gvisor():
        leave_out(items, config, "locks")
        leave_out(items, config, "news")
        leave_out(items, config, "events")
    here = pathlib.Path(__file__).parent
    items = [item for item in items if here in item.path.parents]
    on_kernel = config.getoption("kernel")
    reason = None if on_kernel else mounting.why_no_mount()
    for item in items:
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
        elif on_kernel and ("mount" not in item.fixturenames or item.get_closest_marker("daemon")):
            item.add_marker(pytest.mark.skip(reason="about the daemon, not its tree"))
    if mounting.in_gvisor():
        exceptions.expect(items, GVISOR, "gVisor")


def leave_out(items, config, marker):
    left_out = [item for item in items if item.get_closest_marker(marker)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """In gVisor all is tried: what it cannot do fails, and is named as an exception."""
    report = (yield).get_result()
    if mounting.in_gvisor() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which no test may be here: {report.longrepr}"


@pytest.fixture(autouse=True)
def patience(request, monkeypatch):
    """What is named as an exception is not waited for as long as what must come."""
    if request.node.get_closest_marker("xfail"):
        monkeypatch.setattr(mounting, "PATIENCE", 5)


@pytest.fixture(autouse=True)
def time_limit():
    seconds = mounting.TEST_SECONDS + float(os.environ.get("HAMMER_SECONDS", "8"))
    with mounting.time_limit(seconds):
        yield


@pytest.fixture
def private_mounts():
    """The test unshares the mount namespace."""
    if reason := mounting.why_no_namespace():
        pytest.skip(reason)


@pytest.fixture
def directory():
    """A mount point with nothing on it."""
    with mounting.mount_point() as path:
        yield path


@pytest.fixture
def start(directory):
    """Starts the daemon with options; at the end it must leave cleanly and have said nothing."""
    daemons = []

    def start_daemon(*options):
        daemons.append(mounting.Daemon(directory, *options))
        return daemons[-1]

    start_daemon.directory = directory
    yield start_daemon
    for daemon in daemons:
        if daemon.process.poll() is None:
            assert daemon.stop(signal.SIGTERM) == (0, "")
    assert not mounting.mounts_on(directory)


@pytest.fixture
def mount(request):
    """A mounted tree with every hierarchy."""
    if not request.config.getoption("kernel"):
        yield request.getfixturevalue("start")()
        return
    kernel = mounting.Kernel(request.getfixturevalue("directory"))
    yield kernel
    kernel.leave()


@pytest.fixture
def spawn():
    """Starts processes that sleep, and ends them with the test."""
    with processes.Sleepers() as sleepers:
        yield sleepers
