# SPDX-License-Identifier: MIT
"""Nobody becomes a member because the daemon was ended: every sequence of KILL and TERM up to three."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys

import pytest

import mounting

pytestmark = pytest.mark.daemon

LIVES = pathlib.Path(__file__).with_name("restarts.py")


@contextlib.contextmanager
def apart(*command):
    """A process in a session of its own, which goes with all that is in its group."""
    process = subprocess.Popen(command, start_new_session=True, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("source", ("auto", "scan"))
def test_no_stranger_becomes_a_member(tmp_path, source):
    try:
        with apart(sys.executable, LIVES, tmp_path, source) as lives:
            said, _ = lives.communicate(timeout=3 * mounting.PATIENCE)
        assert (lives.returncode, said) == (0, "")
    finally:
        for life in tmp_path.iterdir():
            while mounting.mounts_on(life / "mount"):
                subprocess.run(["umount", "-l", life / "mount"], check=True)
