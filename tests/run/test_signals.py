# SPDX-License-Identifier: MIT
"""A handler that runs while a call is caught ends it, unless the call is received at once."""

import os
import subprocess
import sys

import pytest

from launcher import BACKEND, PYTHON, launch

PROCESSOR = str(min(os.sched_getaffinity(0)))

# Makes calls, and tells the policy of each thread of the supervisor and on which processors it may be.
LOOK = """
import os
for _ in range(100):
    os.statvfs("/sys/fs/cgroup/cpu")
launcher, me = os.getppid(), str(os.getpid())
with open(f"/proc/{launcher}/task/{launcher}/children") as children:
    supervisor, = (child for child in children.read().split() if child != me)
for task in map(int, os.listdir(f"/proc/{supervisor}/task")):
    policy = os.sched_getscheduler(task) & ~os.SCHED_RESET_ON_FORK
    print({os.SCHED_FIFO: "urgent", os.SCHED_OTHER: "ordinary"}[policy], *os.sched_getaffinity(task))
"""


def may_be_urgent():
    program = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"
    return not subprocess.run([sys.executable, "-c", program], stderr=subprocess.DEVNULL,
                              check=False).returncode


def threads():
    result = launch("taskset", "-c", PROCESSOR, PYTHON, "-c", LOOK)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


# What this is for, how many signals end a call, depends on the machine and its load: make bench tells it.
@pytest.mark.skipif(BACKEND == "trace", reason="a traced call is never ended by a handler")
def test_an_urgent_thread_waits_where_the_caller_is():
    if not may_be_urgent():
        pytest.skip("needs real-time priority (CAP_SYS_NICE), without which the supervisor is late")
    assert f"urgent {PROCESSOR}" in threads()
