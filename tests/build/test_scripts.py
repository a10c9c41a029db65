# SPDX-License-Identifier: MIT
"""ShellCheck finds nothing in the project's scripts."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_shellcheck():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    files = listed.stdout.split() or [str(file.relative_to(ROOT)) for file in ROOT.glob("*/**/*.sh")]
    scripts = [name for name in files if name.endswith(".sh")
               and not name.startswith(("build/", "scripts/lib/"))]
    assert "scripts/run-k3s-with-fuse-cgroups.sh" in scripts
    # Those of scripts/lib are read with the scripts that take them in.
    result = subprocess.run(["shellcheck", "-x", "-S", "warning", *scripts], cwd=ROOT, capture_output=True,
                            text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_tmpdir_is_respected():
    """Tests in C have temporary(), scripts ${TMPDIR:-/tmp}, and Python does so by itself."""
    fixed = {".c": r'"/(?:var/)?tmp/[^"]*XXX', ".h": r'"/(?:var/)?tmp/[^"]*XXX',
             ".sh": r"\bmktemp\b[^\n]* /tmp/", ".py": r'\bdir=["\']/tmp'}
    found = [str(path.relative_to(ROOT)) for folder in ("tests", "scripts", "bench")
             for path in (ROOT / folder).rglob("*") if path.suffix in fixed
             and re.search(fixed[path.suffix], path.read_text(encoding="utf-8", errors="replace"))]
    assert found == []
