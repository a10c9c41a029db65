# SPDX-License-Identifier: MIT
"""Tests of what cannot be done somewhere: named in a file, one a line, the end of its id and the reason."""

import pytest


def expect(items, file, where):
    """They must fail there: an exception that is no longer one fails the run."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, reason = line.split(None, 1)
        matching = [item for item in items if item.nodeid.endswith(name)]
        if not matching and any(name.startswith(item.path.name + "::") for item in items):
            raise pytest.UsageError(f"{file}: there is no test {name}")
        for item in matching:
            item.add_marker(pytest.mark.xfail(reason=f"{where}: {reason}", strict=True))
