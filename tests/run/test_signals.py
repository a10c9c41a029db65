# SPDX-License-Identifier: MIT
"""Handlers that run while a call is caught: the call goes on, as it would in the kernel."""

import os
import subprocess
import sys

import pytest

from launcher import WITHOUT_CGROUPS, launch

ONE_PROCESSOR = ("taskset", "-c", str(min(os.sched_getaffinity(0))))
# Of a hundred signals so many may end a call: those that come between its start and the supervisor's turn,
# where the kernel lets nobody in between (preempt=none). Of a supervisor that is late it is 30 to 90.
FEW = 25


def may_be_urgent():
    program = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"
    return not subprocess.run([sys.executable, "-c", program], stderr=subprocess.DEVNULL,
                              check=False).returncode


@pytest.mark.parametrize("where", [(), ONE_PROCESSOR], ids=["anywhere", "on one processor"])
@pytest.mark.parametrize("what, calls", [("open", 10000), ("statfs", 5000), ("table", 1000)])
def test_signals_end_no_call(programs, what, calls, where):
    """Two processes are each other's load."""
    if not may_be_urgent():
        pytest.skip("needs real-time priority (CAP_SYS_NICE), without which the supervisor is late")
    program = programs("interrupted")
    native = subprocess.run([*where, program, what, "2", "1000"], text=True, capture_output=True, check=True)
    assert native.stdout.split()[1] == "0"
    result = launch(program, what, "2", str(calls), wrapper=[*where, *WITHOUT_CGROUPS])
    assert (result.returncode, result.stderr) == (0, ""), result
    signals, interrupted = map(int, result.stdout.split())
    assert signals >= 100
    assert 100 * interrupted <= FEW * signals, f"{interrupted} calls ended by {signals} signals"
