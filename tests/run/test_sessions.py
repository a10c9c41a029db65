# SPDX-License-Identifier: MIT
"""What the documents show of a session is what comes when it is typed."""

import os
import pathlib
import re
import subprocess

import pytest

import launcher
import mounting

ROOT = mounting.ROOT
PLACE = "/tmp/fuse-cgroup"  # the documents', in whose stead there is a directory of our own
# What is shown and not run: the reader's own programs, and what has no end.
NOT_HERE = ("java ", "runc ", "--trace ")


def session(document):
    """[(command, [line that it prints])] of a document's indented lines that begin with "$ "."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^    \$ .*\n(?:^    .*\n)*", text, re.MULTILINE)
    found = []
    for line in "".join(blocks).splitlines():
        if line.startswith("    $ "):
            found.append((line[6:], []))
        else:
            found[-1][1].append(line[4:])
    return [(command, shown) for command, shown in found if not any(word in command for word in NOT_HERE)]


def examples(page):
    """The first lines of a manual page's examples."""
    text = (ROOT / "man" / page).read_text(encoding="utf-8").partition("\n.SH EXAMPLES\n")[2]
    return re.search(r"^\.nf\n(.*?)^\.fi", text, re.MULTILINE | re.DOTALL)[1].replace("\\-", "-").splitlines()


def typed(directory, commands):
    """What the commands print, in one shell: the lines of each; they find our programs in PATH."""
    script = "\n".join(f"echo '>>>'\n{command}" for command in commands)
    programs = {os.path.dirname(path) for path in (mounting.BINARY, launcher.RUN)}
    script = script.replace("build/fuse", "fuse").replace(PLACE, f"{directory}/place")
    environment = launcher.environment(directory)
    environment |= {"LC_ALL": "C", "PATH": ":".join([*programs, os.environ["PATH"], "/usr/sbin", "/sbin"])}
    result = subprocess.run([*launcher.WITHOUT_CGROUPS, "sh", "-c", script], text=True, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
                            timeout=mounting.PATIENCE, stdin=subprocess.DEVNULL)
    text = result.stdout.replace(f"{directory}/place", PLACE)
    return result.returncode, [part.splitlines() for part in text.split(">>>\n")[1:]]


def alike(command, lines):
    """What is the same on each machine: figures are others, and columns as wide as the screen."""
    words = re.sub(r"\d+", "N", " ".join(lines)).split()
    return sorted(words) if command.startswith("ls ") else words


@pytest.fixture
def directory():
    with launcher.temporary() as path:
        yield path
        place = pathlib.Path(path, "place")
        if place.exists():
            place.rmdir()


@pytest.mark.parametrize("document", ["README.md", "docs/run.md"])
def test_sessions(directory, document):
    shown = session(document)
    assert len(shown) > 3
    status, printed = typed(directory, [command for command, _ in shown])
    assert status == 0
    assert [alike(command, lines) for (command, _), lines in zip(shown, printed)] == \
        [alike(command, lines) for command, lines in shown]


def test_examples_of_the_manual_page(directory):
    commands = ["set -e", *examples("fuse_cgroupfs.8")]
    status, printed = typed(directory, commands)
    assert status == 0 and len(printed) == len(commands), printed
    assert any(line.startswith("total_rss ") for lines in printed for line in lines)
