# SPDX-License-Identifier: MIT
"""Each message of the scripts that users run stands in a test."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import messages  # noqa: E402

# Those of nodes are said there, each by its script, and compared word for word.
NODES = ROOT / "tests" / "scripts" / "node.bats"
# What is said elsewhere, by how it begins, and the test that has it.
ELSEWHERE = {
    "unknown set": "build/test_dependencies.py::test_unknown_set",
    "fuse_cgroupfs is for 64-bit machines": "build/test_dependencies.py::test_one_line_on_32_bit_machines",
    "fuse_cgroupfs needs glibc": "build/test_dependencies.py::test_other_c_libraries_are_refused",
    "fuse_cgroupfs needs what is not here": "build/test_dependencies.py::test_says_what_to_install",
}
EXCUSED = {
    "$table: unknown probe": "the table is ours",
    "dpkg-buildpackage failed": "it builds",
    "these processes of pods": "all can be ended",
    "$what does not answer": "after a minute",
    "$mount did not come up": "after ten seconds",
    "gVisor lets nobody mount its cgroups": "gVisor's tests are root's",
    "$daemon has ended": "it says why",
    "there is no /bin/busybox: install": "busybox_image.py is run where it is",
}


def test_every_message_has_a_row():
    rows = NODES.read_text(encoding="utf-8").replace("\\\n", "")
    lacking = [(file, text) for file, text in messages.of_scripts(ROOT / "scripts")
               if not text.startswith(tuple([*ELSEWHERE, *EXCUSED]))
               and not re.search(messages.of_shell(text), rows)]
    assert lacking == []


def test_what_is_elsewhere_is_there():
    assert messages.not_there(ELSEWHERE, "tests") == []
