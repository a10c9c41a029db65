# SPDX-License-Identifier: MIT
"""crun: a container's life in the tree."""

import pytest
import runtime

CRUN = "crun"

@pytest.mark.parametrize("check", [
    runtime.check_limits_and_membership, runtime.check_exec, runtime.check_view_inside,
    runtime.check_pause, runtime.check_update, runtime.check_ps_and_list,
    runtime.check_foreground, runtime.check_kill], ids=lambda check: check.__name__[6:])
def test_life(tree, check):
    check(tree, CRUN)

