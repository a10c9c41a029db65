# SPDX-License-Identifier: MIT
"""What the documents name is there: targets, packages, files."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(" ".join(re.findall(r"^([a-z0-9 -]+):", MAKEFILE, re.MULTILINE)).split())
INTERNAL = {"all", "clean", "client-programs", "install", "test-unit", "test-mount", "uninstall"}


def table(heading):
    """The first column of a table of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")][1:]


def words(text):
    return {word.removeprefix("make ") for word in re.findall(r"`([^`]*)`", text)}


def test_targets_of_the_table_are_those_of_the_makefile():
    named = words(" ".join(table("Make targets")))
    assert named <= TARGETS
    assert {name for name in TARGETS - named - INTERNAL if not name.startswith("deps")} == {"run"}


def test_ci_runs_what_the_readme_names():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    run = {match[1] for line in lines
           if (match := re.match(r"(?:\w+=\S+ )*run(?:_all_of)? ([a-z0-9-]+)", line))}
    assert "test" in run
    assert run <= words((ROOT / "README.md").read_text())


def test_packages_of_the_table_are_those_that_are_installed():
    rows = [line.split() for line in (ROOT / "scripts" / "dependencies").read_text().splitlines()
            if line.strip() and not line.startswith("#")]
    packages = {name for row in rows for name in row[2].split(",")}
    named = set(re.findall(r"[a-z0-9.+-]{2,}", " ".join(table("Dependencies"))))
    assert packages - named == set()


def test_documents_have_the_version_of_the_programs():
    version = (ROOT / "VERSION").read_text().strip()
    assert (ROOT / "debian" / "changelog").read_text().startswith(f"fuse-cgroupfs ({version}) ")
    assert (ROOT / "CHANGELOG.md").read_text().startswith(f"# Changes\n\n## {version} ")
    for page in (ROOT / "man").iterdir():
        assert re.search(r'^\.TH .*"fuse_cgroupfs (.*?)"', page.read_text(), re.MULTILINE)[1] == version


def anchors(document):
    """Of its headings, as they are made where the documents are shown."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere():
    dead = []
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/*/README.md")]:
        for name, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", path.read_text()):
            target = path.parent / name if name else path
            if not target.exists() or (anchor and anchor not in anchors(target)):
                dead.append((path.name, name, anchor))
    assert dead == []


def test_documents_that_the_code_names_are_there():
    sources = [path for folder in ("src", "include", "tests", "scripts", "bench", "man")
               for path in (ROOT / folder).rglob("*")
               if path.suffix in {".c", ".h", ".py", ".sh", ".1", ".8"}]
    dead = [(path.name, name) for path in sources
            for name in re.findall(r"\bdocs/\w+\.\w+|\bSECURITY\.md", path.read_text(errors="replace"))
            if not (ROOT / name).exists()]
    assert sources and dead == []


def test_scripts_can_be_run():
    """Each file that names its interpreter: documents say to type its name."""
    found = [path for folder in ("tests", "scripts", "bench")
             for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".sh")
             and path.read_bytes()[:2] == b"#!"]
    assert found and [path for path in found if not path.stat().st_mode & 0o100] == []


def test_each_source_file_tells_its_license():
    """In its first lines: also after the line that names a script's interpreter."""
    suffixes = {".c", ".h", ".py", ".sh", ".go", ".1", ".8"}
    untold = [str(path.relative_to(ROOT)) for folder in ("src", "include", "tests", "scripts", "bench", "man")
              for path in (ROOT / folder).rglob("*")
              if path.suffix in suffixes and not path.name.startswith(".")
              and "SPDX-License-Identifier: MIT" not in
              "".join(path.read_text(errors="replace").splitlines(True)[:2])]
    assert untold == []
