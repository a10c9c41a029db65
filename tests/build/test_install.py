# SPDX-License-Identifier: MIT
"""What make install installs: programs, man pages and completions, in which no option is missing."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = {name: pathlib.Path(os.environ.get(variable, ROOT / "build" / name)) for variable, name in
            (("FUSE_CGROUPFS", "fuse_cgroupfs"), ("FUSE_CGROUP_RUN", "fuse_cgroup_run"))}
FILES = ["bin/fuse_cgroup_run", "bin/fuse_cgroupfs", "lib/cni/fuse_cgroup_cni",
         "share/bash-completion/completions/fuse_cgroup_run",
         "share/bash-completion/completions/fuse_cgroupfs",
         "share/fish/vendor_completions.d/fuse_cgroup_run.fish",
         "share/fish/vendor_completions.d/fuse_cgroupfs.fish",
         "share/man/man1/fuse_cgroup_run.1", "share/man/man8/fuse_cgroup_cni.8",
         "share/man/man8/fuse_cgroupfs.8",
         "share/zsh/site-functions/_fuse_cgroupfs"]


def make(target, directory):
    build = PROGRAMS["fuse_cgroupfs"].parent
    subprocess.run(["make", "-C", ROOT, f"BUILD={build}", f"DESTDIR={directory}", "PREFIX=/usr", target],
                   capture_output=True, check=True)
    return sorted(str(path.relative_to(directory / "usr")) for path in directory.rglob("*") if path.is_file())


def test_install_and_uninstall(tmp_path):
    assert make("install", tmp_path) == FILES
    assert make("uninstall", tmp_path) == []


def options(program):
    """Those that its --help shows."""
    text = subprocess.run([PROGRAMS[program], "--help"], text=True, capture_output=True, check=True).stdout
    return set(re.findall(r"--[a-z][\w-]*", text))


@pytest.mark.parametrize("program", PROGRAMS)
def test_options_are_completed(program):
    shells = [(ROOT / "completions" / name).read_text() for name in ("bash", "zsh", f"{program}.fish")]
    fish = shells.pop()
    assert options(program)
    for option in options(program):
        assert all(option in text for text in shells), option
        assert f"-l {option[2:]}" in fish, option


@pytest.mark.parametrize("program, section", [("fuse_cgroupfs", 8), ("fuse_cgroup_run", 1)])
def test_options_are_described(program, section):
    """In the manual page, which names no other of its own."""
    page = (ROOT / "man" / f"{program}.{section}").read_text().replace("\\-", "-")
    assert {option for option in options(program) if not re.search(rf"{option}\b", page)} == set()
    named = set(re.findall(r'^\.B[IR]* (?:"?-\w, )?"?(--[a-z][\w-]*)', page, re.MULTILINE))
    assert named and named <= options(program)


def test_options_of_the_readme_are_there():
    """Those of the programs, and of the script that it names."""
    text = (ROOT / "README.md").read_text()
    script = (ROOT / "scripts" / "run-k3s-with-fuse-cgroups.sh").read_text()
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text))
    ours = options("fuse_cgroupfs") | options("fuse_cgroup_run") | set(re.findall(r"--[a-z][\w-]*", script))
    assert {"--check", "--memory", "--root"} <= named <= ours


def test_mount_options_are_described_and_completed():
    """Those that --help shows, but what libfuse says of its own."""
    text = subprocess.run([PROGRAMS["fuse_cgroupfs"], "--help"], text=True, capture_output=True,
                          check=True).stdout.split("mount options", 1)[1]
    named = set(re.findall(r"^ {7}([a-z][a-z0-9_]*)(?:=\S+)? ", text, re.MULTILINE))
    assert {"controllers", "sendfile"} <= named
    page = (ROOT / "man" / "fuse_cgroupfs.8").read_text()
    for option in named:
        assert re.search(rf'^\.BI? "?\\-o {option}\b', page, re.MULTILINE), option
        for name in ("bash", "zsh", "fuse_cgroupfs.fish"):
            offered = re.sub(r"(^|\s)#.*", "", (ROOT / "completions" / name).read_text(), flags=re.MULTILINE)
            assert re.search(rf"[\s']{option}(=|\\:|\s)", offered), (name, option)


def complete(*words):
    """What bash offers for the last word."""
    script = f"""set -eu; source {ROOT}/completions/bash; compopt() {{ :; }}
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); "_$1"; printf '%s\\n' "${{COMPREPLY[@]}}" """
    return subprocess.run(["bash", "-c", script, "bash", *words], text=True, capture_output=True,
                          check=True).stdout.split()


def test_bash_completes():
    assert complete("fuse_cgroupfs", "--ch") == ["--check"]
    assert complete("fuse_cgroupfs", "-o", "accounting=s") == ["accounting=scan"]
    assert complete("fuse_cgroup_run", "--memory-sw") == ["--memory-swap", "--memory-swappiness"]
    assert complete("fuse_cgroup_run", "--v1", "--memory", "1g", "--cpu-q") == ["--cpu-quota"]
    assert "/etc/passwd" in complete("fuse_cgroup_run", "--", "cat", "/etc/pass")
