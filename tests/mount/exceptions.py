# SPDX-License-Identifier: MIT
"""
Tests of what cannot be done somewhere: named in a file, one a line, the end of its id and the reason. Without
its parameters an id means the test with all of them.
"""

import re

import pytest

LINE = re.compile(r"(\S+?\[.*?\]|\S+)\s+(.+)")  # parameters may have spaces


def is_named(item, name):
    return (item.nodeid if "[" in name else item.nodeid.split("[")[0]).endswith(name)


def expect(items, file, where):
    """They must fail there: an exception that is no longer one fails the run."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, reason = LINE.fullmatch(line).groups()
        matching = [item for item in items if is_named(item, name)]
        if not matching and any(name.startswith(item.path.name + "::") for item in items):
            raise pytest.UsageError(f"{file}: there is no test {name}")
        for item in matching:
            item.add_marker(pytest.mark.xfail(reason=f"{where}: {reason}", strict=True))
