# SPDX-License-Identifier: MIT
"""The tour of `make run`."""

import os
import signal
import subprocess

import pytest

import mounting
import processes


@pytest.mark.daemon
def test_tour(tmp_path):
    """It says what the kernel's errors say, and leaves nothing behind."""
    place = tmp_path / "place"
    tour = subprocess.Popen([mounting.ROOT / "scripts" / "run.sh", mounting.BINARY, place], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    with tour:
        shown = ""
        for line in tour.stdout:
            shown += line
            if "Ctrl-C" in line:
                break
        os.killpg(tour.pid, signal.SIGINT)
        shown += tour.stdout.read()
    assert tour.returncode == 0
    assert "Invalid argument" in shown and "I/O error" not in shown
    assert "\n536870912\n" in shown and shown.endswith(f"unmounted {place}\n")
    assert not place.exists()
