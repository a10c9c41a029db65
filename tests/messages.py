# SPDX-License-Identifier: MIT
"""What a program says when it cannot do what it shall: rows of a table, and whether the table has all."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]

LITERAL = r'"(?:[^"\\]|\\.)*"'
# What is printed on standard error by a literal; macros between its parts are names of ours.
PRINTED = re.compile(rf"fprintf\(stderr,\s*((?:{LITERAL}\s*|[A-Z_]+\s*)+)")


def formats(directory):
    """[(file, format)] of all messages of the sources in a directory."""
    found = []
    for path in sorted((ROOT / directory).glob("*.c")):
        for literals in PRINTED.findall(path.read_text(encoding="utf-8")):
            parts = re.findall(rf"({LITERAL})|([A-Z_]+)", literals)
            found.append((path.name, "".join(text[1:-1] if text else "%s" for text, _ in parts)))
    return found


def complaints(directory):
    """[(file, part of a line)] of what the sources in a directory have others print."""
    found = []
    for path in sorted((ROOT / directory).glob("*.c")):
        for call in re.findall(r"\bcomplain\(([^;{]*)\);", path.read_text(encoding="utf-8")):
            found += [(path.name, text[1:-1]) for text in re.findall(LITERAL, call)]
    return found


def pattern(text):
    """What a format prints, as a regular expression."""
    text = text.replace("\\n", "").replace('\\"', '"')
    return ".*".join(re.escape(part) for part in re.split(r"%[-.*\d]*(?:[hlj]*[dux]|s|c|m)", text))


def not_said(directory, said, excused):
    """The messages of the sources that none of these lines is, and that are not excused by how they begin."""
    return [(file, text) for file, text in formats(directory)
            if not any(re.fullmatch(pattern(text), line) for line in said)
            and not any(text.split(": ", 1)[-1].startswith(begin) for begin in excused)]
