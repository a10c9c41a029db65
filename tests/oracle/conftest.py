# SPDX-License-Identifier: MIT
"""Mounts our filesystem, plays the wanted scenarios on it and on the kernel, side by side."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import kernel, running  # noqa: E402

DAEMON = Path(os.environ.get("FUSE_CGROUPFS", HERE.parent.parent / "build" / "fuse_cgroupfs"))


def pytest_configure():
    """Whoever ends the session by a signal gets it unmounted, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _why_no_mount():
    if os.geteuid() != 0:
        return "needs root to serve every user and to move processes"
    if not os.path.exists("/dev/fuse"):
        return "no /dev/fuse on this machine"
    return None


def _end(daemon):
    """Exit status of a daemon that was unmounted."""
    for hurry in (lambda: None, daemon.terminate, daemon.kill):
        hurry()  # another mount namespace may still hold the mount
        try:
            return daemon.wait(10)
        except subprocess.TimeoutExpired:
            pass
    return "none"


@pytest.fixture(scope="session")
def mountpoint():
    """Our filesystem, mounted for the session."""
    if why := _why_no_mount():
        pytest.skip(why)
    directory = tempfile.mkdtemp(prefix="fcg-oracle-mount-")
    os.chmod(directory, 0o755)
    daemon = subprocess.Popen([str(DAEMON), "-f", directory], stdin=subprocess.DEVNULL,
                              start_new_session=True)
    try:
        end = time.monotonic() + 20
        while not os.path.ismount(directory):
            if daemon.poll() is not None or time.monotonic() > end:
                pytest.fail(f"{DAEMON} did not mount, status {daemon.poll()}")
            time.sleep(0.02)
        yield directory
    finally:
        subprocess.run(["umount", directory], stderr=subprocess.DEVNULL, check=False)
        status = _end(daemon)
        subprocess.run(["umount", "-l", directory], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(directory, ignore_errors=True)
    if status != 0:
        pytest.fail(f"{DAEMON} ended with status {status}")


class Answers:
    """The answers of both trees to the scenarios that this session tests."""

    def __init__(self, plays, mountpoint):
        trees = {"kernel": "kernel"} if kernel.comparable()[0] else {}
        runners = {name: running.Running(tree, plays)
                   for name, tree in {**trees, "ours": mountpoint}.items()}
        try:
            results = {name: runner.results() for name, runner in runners.items()}
        finally:
            for runner in runners.values():
                runner.stop()
        self.ours = results["ours"]
        self.kernel = results.get("kernel")


@pytest.fixture(scope="session")
def answers(request, mountpoint):
    plays = dict.fromkeys(item.callspec.params["play"] for item in request.session.items
                          if "play" in getattr(item, "fixturenames", ()) and
                          hasattr(item, "callspec") and "answers" in item.fixturenames)
    return Answers(list(plays), mountpoint)
