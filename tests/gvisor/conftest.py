# SPDX-License-Identifier: MIT
"""Tests of the launcher in a sandbox; inside.sh runs them there."""

import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "run"), str(TESTS / "mount")]

import mounting  # noqa: E402


@pytest.fixture(autouse=True)
def time_limit():
    with mounting.time_limit(mounting.TEST_SECONDS):
        yield
