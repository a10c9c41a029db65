# SPDX-License-Identifier: MIT
"""pytest's status says whether anything was tested."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
SKIPPED = "import pytest\n\n@pytest.mark.skip(reason='none')\ndef test_a(): pass\n"


@pytest.mark.parametrize("more, environment, status", [
    ("", {}, pytest.ExitCode.NO_TESTS_COLLECTED),
    ("", {"TESTED_ELSEWHERE": "1"}, pytest.ExitCode.OK),
    ("def test_b(): pass\n", {}, pytest.ExitCode.OK),
], ids=["all", "all_of_a_part", "some"])
def test_where_all_is_skipped(tmp_path, more, environment, status):
    for name in ("conftest.py", "root_only"):
        shutil.copy(TESTS / name, tmp_path)
    (tmp_path / "test_it.py").write_text(SKIPPED + more)
    others = {name: value for name, value in os.environ.items()
              if name != "TESTED_ELSEWHERE" and not name.startswith(("FUSE_", "PYTEST_"))}
    result = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
                            cwd=tmp_path, env={**others, **environment}, capture_output=True, check=False)
    assert result.returncode == status, result.stdout
