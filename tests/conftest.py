# SPDX-License-Identifier: MIT
"""What holds for all tests that pytest runs."""

import fnmatch
import os
import pathlib
import signal

import pytest

TESTS = pathlib.Path(__file__).resolve().parent


def pytest_configure():
    # A job in the background, or under nohup, has these ignored, and so would what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    for variable in ("FUSE_CGROUPFS", "FUSE_CGROUP_RUN", "FUSE_CGROUP_CNI"):
        path = os.environ.get(variable)
        if path and not pathlib.Path(path).exists():
            raise pytest.UsageError(f"{variable}={path}: there is no such program: run make first")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    """Where all was skipped nothing was tested, which is no success by itself."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and not exitstatus and reporter.stats.get("skipped") and \
            not any(reporter.stats.get(kind) for kind in ("passed", "xfailed", "xpassed")):
        reporter.write_line("\nall was skipped, so that nothing was tested")
        if not os.environ.get("TESTED_ELSEWHERE"):
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def needs_of_root():
    """[(pattern of a test's name, what it needs root for)]"""
    lines = (TESTS / "root_only").read_text(encoding="utf-8").splitlines()
    return [line.split(None, 1) for line in lines if line and not line.startswith("#")]


def pytest_collection_modifyitems(items):
    if os.geteuid() == 0:
        return
    needs = needs_of_root()
    for item in items:
        name = f"{item.path.parent.name}/{item.path.name}::{item.nodeid.split('::', 1)[1]}"
        for pattern, reason in needs:
            if fnmatch.fnmatchcase(name, pattern):
                item.add_marker(pytest.mark.skip(reason=f"needs root: {reason}"))
                break
