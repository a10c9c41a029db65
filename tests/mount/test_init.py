# SPDX-License-Identifier: MIT
"""Orphans where init is of the tests' own session, as in a container, or of one from outside its pid
namespace."""

import pathlib
import subprocess
import sys

import pytest

import mounting

MEMBERSHIP = pathlib.Path(__file__).with_name("test_membership.py")


if not mounting.in_gvisor():  # its pid namespaces have an init of their own kind

    @pytest.mark.usefixtures("private_mounts")
    @pytest.mark.parametrize("leader", [[], ["setsid"]], ids=["outside", "init"])
    def test_orphans(leader):
        """Who adopts them has their session, but not their process group."""
        tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", MEMBERSHIP,
                 "-k", "fork or daemons or orphans"]
        shell = ["sh", "-c", '"$@"; exit $?', "sh", *tests]
        done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", *leader, *shell],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert " passed" in done.stdout and "skipped" not in done.stdout
