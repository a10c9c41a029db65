# SPDX-License-Identifier: MIT
"""Tasks whose calls cannot be answered: nobody else waits for them."""

import pytest

from launcher import AT, launch


def test_a_page_that_hangs(programs):
    """A path in memory that whoever looks at it waits for."""
    look = f"stat -f -c %T {AT}/cpu; grep -c ' - cgroup ' /proc/self/mountinfo"
    result = launch(programs("hung_page", "-pthread"), "20", "sh", "-c", look)
    if result.returncode == 77:
        pytest.skip("needs userfaultfd(2)")
    assert (result.returncode, result.stdout, result.stderr) == (0, "cgroupfs\n13\n", "")
