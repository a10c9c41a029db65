# SPDX-License-Identifier: MIT
"""The version is git's last tag where that is known, and the file VERSION's elsewhere."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = [pathlib.Path(os.environ.get(variable, ROOT / "build" / name)) for variable, name in
            (("FUSE_CGROUPFS", "fuse_cgroupfs"), ("FUSE_CGROUP_RUN", "fuse_cgroup_run"),
             ("FUSE_CGROUP_CNI", "fuse_cgroup_cni"))]


def version_of(directory):
    return subprocess.run([directory / "scripts" / "version.sh"], text=True, capture_output=True,
                          check=True).stdout.strip()


def git(directory, *arguments):
    identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
                for what, value in (("NAME", "test"), ("EMAIL", "test@localhost"))}
    subprocess.run(["git", "-C", directory, *arguments], check=True, capture_output=True,
                   env={**os.environ, **identity, "GIT_CONFIG_GLOBAL": "/dev/null"})


@pytest.fixture
def copy(tmp_path):
    """A directory with what tells the version, and no git."""
    directory = tmp_path / "copy"
    (directory / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "version.sh", directory / "scripts")
    (directory / "VERSION").write_text("1.0.0\n")
    return directory


def commit(directory, tag):
    git(directory, "init")
    git(directory, "add", ".")
    git(directory, "commit", "-m", "All")
    git(directory, "tag", tag)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_tags_tell_it(copy):
    assert version_of(copy) == "1.0.0"
    commit(copy, "other")
    assert version_of(copy) == "1.0.0"
    git(copy, "tag", "v1.2.3-rc1")
    assert version_of(copy) == "1.2.3~rc1"
    git(copy, "commit", "--allow-empty", "-m", "More")
    assert re.fullmatch(r"1\.2\.3~rc1\+1\.g[0-9a-f]{7,}", version_of(copy))
    git(copy, "tag", "v1.2.3")
    assert version_of(copy) == "1.2.3"
    (copy / "VERSION").write_text("1.3.0\n")
    assert version_of(copy) == "1.2.3+dirty"


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_others_tags_do_not_tell_it(copy):
    """A tarball that is unpacked in a clone of something else."""
    commit(copy.parent, "v7.0")
    assert version_of(copy) == "1.0.0"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_programs_say_it(program):
    said = subprocess.run([program, "--version"], text=True, capture_output=True, check=True).stdout
    assert said.split()[1] == version_of(ROOT)


def test_installed_man_pages_say_it(tmp_path):
    subprocess.run(["make", "-C", ROOT, f"BUILD={PROGRAMS[0].parent}", f"DESTDIR={tmp_path}", "install"],
                   capture_output=True, check=True)
    pages = list(tmp_path.glob("usr/local/share/man/*/*"))
    assert len(pages) == len(PROGRAMS)
    for page in pages:
        assert f'"fuse_cgroupfs {version_of(ROOT)}"' in page.read_text()
