# SPDX-License-Identifier: MIT
"""The time limit of a test holds even where pytest itself is stopped."""

import os
import pathlib
import subprocess
import sys

STOPPED = """
import os, signal, time, mounting
with mounting.time_limit(0.5):
    os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        time.sleep(0.05) # not pause(2): the signal may reach another thread
"""


def test_a_stopped_test_goes_on_and_ends():
    done = subprocess.run([sys.executable, "-c", STOPPED], text=True, capture_output=True, check=False,
                          cwd=pathlib.Path(__file__).parent, env={**os.environ, "WATCHDOG_GRACE": "0.5"})
    assert done.returncode == 1 and "TimeoutError: not finished within" in done.stderr
