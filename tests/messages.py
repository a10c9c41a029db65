# SPDX-License-Identifier: MIT
"""What a program says when it cannot do what it shall: rows of a table, and whether the table has all.

Whatever is written in a source in words is taken for a message, wherever it is printed: so a new one that
has no row is found whichever function says it."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]

LITERAL = r'"(?:[^"\\\n]|\\.)*"'
COMMENT = re.compile(rf"({LITERAL}|'(?:[^'\\\n]|\\.)+')|/\*.*?\*/|//[^\n]*", re.DOTALL)
# What says nothing when a program runs.
COMPILED = re.compile(rf"#\s*(?:error|include)[^\n]*|_Static_assert\((?:[^;\"]|{LITERAL})*;")
# Literals that are one, with macros between them.
WHOLE = re.compile(rf"{LITERAL}(?:(?:\s|[A-Z][A-Z_]+(?=\s*\"))*{LITERAL})*")
WORDS = re.compile(r"[A-Za-z]{2,},? [A-Za-z%]")


def in_words(*directories):
    """[(file, format)] of all literals in the sources of these directories that have words."""
    found = []
    for path in sorted(path for name in directories for path in (ROOT / name).glob("*.[ch]")):
        source = COMMENT.sub(lambda match: match[1] or " ", path.read_text(encoding="utf-8"))
        for literals in WHOLE.findall(COMPILED.sub("", source)):
            parts = re.findall(rf"({LITERAL})|([A-Z_]+)", literals)
            text = "".join(text[1:-1] if text else "%s" for text, _ in parts)
            if WORDS.search(text):
                found.append((path.name, text))
    return found


def pattern(text):
    """What a format prints, as a regular expression."""
    text = text.replace("\\n", "").replace('\\"', '"')
    parts = re.split(r"(?:%[-.*\d]*(?:[hljz]*[dux]|s|c|m))+", text)
    return ".*".join(re.escape(part) for part in parts)


def not_said(directories, rows, known):
    """The messages of the sources that are in none of these rows (regular expressions of what is said), and
    that do not begin, but for the program's name, as one that is known to be elsewhere."""
    rows = [row.replace("\\", "") for row in rows]
    return [(file, text) for file, text in in_words(*directories)
            if not re.sub(r"^fuse_cgroup\w*: ", "", text).startswith(tuple(known))
            and not any(re.search(pattern(text), row) for row in rows)]


def not_there(elsewhere, directory):
    """Of {beginning of a message: "file::test"} the tests that are not there, or do not name the message."""
    missing = []
    for begin, place in elsewhere.items():
        file, test = place.split("::")
        source = (ROOT / directory / file).read_text(encoding="utf-8")
        words = max(re.split(r"%\.?\*?\w+|[\"'\\]", begin), key=len).strip(" :,()")
        if f"def {test}(" not in source or words not in source:
            missing.append((place, words))
    return missing


# What a shell script's fail() says, and echo on standard error.
SHELL = re.compile(r'\b(fail|echo) ((?:"(?:[^"\\]|\\.)*"(?:\s|\\\n)*)+)((?:>&|[^\n;&|])*)')
VARIABLE = r'\$(?:\{[^}]*\}|\w+|\*|\([^)]*\))'


def of_scripts(directory):
    """[(file, text)] of the messages of the scripts below a directory, without the script's name."""
    found = []
    for path in sorted(directory.rglob("*.sh")):
        for how, literals, rest in SHELL.findall(path.read_text(encoding="utf-8")):
            text = " ".join(literal[1:-1] for literal in re.findall(LITERAL.replace(r"\n", ""), literals))
            text = re.sub(r"^(?:\$name|[\w-]+\.sh): ", "", text)
            if (how == "fail" or ">&2" in rest) and text != "$*":  # which is fail() itself
                found.append((path.name, text))
    return found


def of_shell(text):
    """What a shell's text prints, as a regular expression."""
    return ".*".join(re.escape(part.replace("\\", "")) for part in re.split(VARIABLE, text))
