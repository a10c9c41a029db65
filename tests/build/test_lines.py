# SPDX-License-Identifier: MIT
"""Lines have at most 110 columns, tabs counting as eight, as CONTRIBUTING.md and .editorconfig say."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS = 110
# What is no prose and no code: what others have written or recorded, and tables with a row to a line.
OTHERS = ("/recorded/", "/fixtures/", "/corpus/", "go.sum", "go.mod")
NOT_OURS = {".git", "build", "__pycache__", ".pytest_cache"}
TABLES = {"scripts/dependencies", "completions/zsh", "tests/root_only", "tests/run/trace_exceptions",
          "tests/gvisor/exceptions", "tests/gvisor/run_exceptions", "tests/v2_oracle/exceptions",
          "tests/v2_oracle/files.txt"}


def files():
    """Of the project; also where it is unpacked without git."""
    for path in ROOT.rglob("*"):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and not NOT_OURS & set(name.split("/")) and name not in TABLES \
                and not any(part in f"/{name}" for part in OTHERS):
            yield name


def lines(name):
    """Of a text; rows of a document's tables are left out."""
    try:
        text = (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return []
    return [line for line in text.splitlines() if not (name.endswith(".md") and line.startswith("|"))]


def test_lines_are_not_wide():
    wide = [(name, number) for name in files() for number, line in enumerate(lines(name), 1)
            if len(line.expandtabs(8)) > COLUMNS]
    assert wide == []
