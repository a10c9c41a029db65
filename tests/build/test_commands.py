# SPDX-License-Identifier: MIT
"""What the documents say to type is there: programs, targets, scripts and their options; and files of the
source that they name."""

import pathlib
import re
import shlex

import pytest

from test_documents import TARGETS
from test_install import options

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/*/README.md")]
PAGES = list((ROOT / "man").iterdir())
OURS = ("fuse_cgroupfs", "fuse_cgroup_run", "fuse_cgroup_cni")

# Programs that are said to be run, and where they come from.
PROGRAMS = {
    **dict.fromkeys(("cat", "cd", "cp", "echo", "export", "head", "ls", "ln", "mkdir", "rmdir", "sh", "bash",
                     "stat", "sysctl", "tail", "grep", "id", "rm", "mknod", "chown", "chroot", "ip", "dd",
                     "pgrep", "ps", "kill", "exec", "true"), "any Debian"),
    **dict.fromkeys(("mount", "umount", "unshare", "setpriv", "nsenter", "findmnt"), "util-linux"),
    **dict.fromkeys(("systemctl", "systemd-analyze"), "systemd"),
    **dict.fromkeys(("apt-get", "git", "pytest", "python3", "/usr/bin/python3", "go", "strace"), "Debian"),
    **dict.fromkeys(("fusermount3",), "fuse3"),
    **dict.fromkeys(("cadvisor", "docker", "java", "k3s", "node", "runc", "crun", "runsc", "su"),
                    "the reader's own"),
}
WORDS_OF_MOUNT = {"ro", "noexec", "fsname", "nofail", "_netdev", "nosuid", "clone_fd", "debug"}
# Of a file's name or a function's that is not ours.
ELSEWHERE = {"fuse.h": "libfuse's"}


def blocks(document):
    """[(line, command)] of a Markdown document's indented lines, but what a shown command prints, and of a
    manual page's examples."""
    text = document.read_text(encoding="utf-8")
    if document in PAGES:
        examples = text.partition("\n.SH EXAMPLES\n")[2].partition("\n.SH ")[0].replace("\\-", "-")
        found = [line for part in re.findall(r"^\.nf\n(.*?)^\.fi", examples, re.MULTILINE | re.DOTALL)
                 for line in part.splitlines() if not re.match(r"\S+\s+/\S+\s+fuse\.", line)]  # fstab's
    else:
        text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        found = []
        for block in re.findall(r"(?:^    .*\n)+", "\n" + text, re.MULTILINE):
            lines = [line[4:] for line in block.splitlines()]
            shown = [line[2:] for line in lines if line.startswith("$ ")]
            found += shown or [line for line in lines if not line.startswith("{")]
    return [line for line in found if line.strip() and not line.startswith("#")]


def spans(document):
    """Commands within sentences: of our programs, scripts and targets."""
    text = document.read_text(encoding="utf-8")
    begin = r"(?:[A-Z_0-9]+=\S+ )*(?:make|sudo|(?:build/)?fuse_cgroup\w+|(?:scripts|tests)/\S+\.(?:sh|py)) "
    return [] if document in PAGES else re.findall(rf"(?<!`)`({begin}[^`\n]*)`(?!`)", text)


def simple(line):
    """[[word]] of the commands of a line."""
    lexer = shlex.shlex(line.replace("...", "ELLIPSIS"), posix=True, punctuation_chars=True)
    lexer.wordchars += "$%@{}[]!+^,:"
    words, found = list(lexer), [[]]
    skip = False
    for word in words:
        if skip:
            skip = False
        elif set(word) <= set("<>&") and set(word) & set("<>"):
            skip = True  # a file
        elif set(word) <= set(";&|()"):
            found.append([])
        else:
            found[-1].append(word)
    return [command for command in found if command]


def faults_of_launcher(words):
    known = options("fuse_cgroup_run") | {"-m", "-c", "-h", "-V"}
    plain = {"--v1", "--v2", "--redirect", "--trace", "--help", "--version"}
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--":
            break
        if word.partition("=")[0] not in known:
            return [f"fuse_cgroup_run has no {word}"]
        if "=" not in word and word not in plain:
            words.pop(0)
    return faults(words) if words and words != ["ELLIPSIS"] else []


def faults_of_daemon(words):
    text = re.findall(r"^ {7}([a-z][a-z0-9_]*)", usage("fuse_cgroupfs"), re.MULTILINE)
    found = [f"fuse_cgroupfs has no {word}" for word in words
             if word.startswith("-") and word not in options("fuse_cgroupfs") | {"-f", "-d", "-s", "-o"}]
    given = [value for name, values in zip(words, words[1:]) if name == "-o" for value in values.split(",")]
    return found + [f"fuse_cgroupfs has no -o {value}" for value in given
                    if value.partition("=")[0] not in {*text, *WORDS_OF_MOUNT}]


def usage(program):
    import subprocess
    from test_install import PROGRAMS as built
    return subprocess.run([built[program], "--help"], text=True, capture_output=True, check=True).stdout


def faults_of_script(path, words, document):
    file = next((each / path for each in (ROOT, document.parent) if (each / path).exists()), None)
    if not file:
        return [f"there is no {path}"]
    if not file.stat().st_mode & 0o100:
        return [f"{path} cannot be run"]
    text = "".join(each.read_text() for each in (file, *(ROOT / "scripts" / "lib").iterdir()))
    own = words[:next((i for i, word in enumerate(words) if not word.startswith("-") and i), len(words))]
    return [f"{path} knows no {word}" for word in own if word.startswith("--") and word not in text]


def faults(words, document=ROOT / "README.md"):
    """What of a command is not there."""
    words = list(words)
    while words and (re.fullmatch(r"[A-Za-z_0-9]+=.*", words[0]) or words[0] in ("sudo", "exec")):
        words.pop(0)
    if not words or words[0] == "export":
        return []
    program, arguments = words[0], words[1:]
    if program == "make":
        named = [word for word in arguments if "=" not in word and not word.startswith("-")]
        return [f"there is no target {name}" for name in named if name not in TARGETS]
    if program.removeprefix("build/") == "fuse_cgroup_run":
        return faults_of_launcher(arguments)
    if program.removeprefix("build/") == "fuse_cgroupfs":
        return faults_of_daemon(arguments)
    if "/" in program and not program.startswith("/"):
        return faults_of_script(program, arguments, document)
    return [] if program in (*OURS, *PROGRAMS) else [f"who has the program {program}?"]


@pytest.mark.parametrize("document", [*DOCUMENTS, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_are_there(document):
    found = [(line, fault) for line in [*blocks(document), *spans(document)]
             for words in simple(line) for fault in faults(words, document)]
    assert found == []


# Options that sentences name, and that are another program's.
OPTIONS_OF_OTHERS = {
    **dict.fromkeys(("--cap-add", "--privileged", "--rootless"), "docker's and runc's"), "--strace": "runsc's",
    **dict.fromkeys(("--pause-image", "--with-node-id", "--bind-address", "--disable-cloud-controller"),
                    "k3s'"),
    "--info": "lintian's",
}


def options_named(document):
    """({name: of mounting}, {--name}) of the options that begin a code span, or a manual page's word."""
    text = document.read_text(encoding="utf-8").replace("\\-", "-").replace("\\|", "")
    if document in PAGES:
        return set(re.findall(r'^\.\w+ "?-o ([a-z][a-z0-9_]*)', text, re.MULTILINE)), \
            set(re.findall(r"^\.B[IR]? \"?(--[a-z][\w-]*)", text, re.MULTILINE))
    return set(re.findall(r"`-o ([a-z][a-z0-9_]*)", text)), set(re.findall(r"`(--[a-z][\w-]*)", text))


def lacking_options(mounting, others):
    known = set(re.findall(r"^ {7}([a-z][a-z0-9_]*)", usage("fuse_cgroupfs"), re.MULTILINE)) | WORDS_OF_MOUNT
    sources = [path for path in [*ROOT.glob("scripts/**/*.sh"), *ROOT.glob("tests/**/*.py"),
                                 *ROOT.glob("bench/*.py")] if path.parent.name != "build"]
    said = [usage("fuse_cgroupfs"), usage("fuse_cgroup_run"),
            *(path.read_text(encoding="utf-8") for path in sources)]
    ours = {option for text in said for option in re.findall(r"--[a-z][\w-]*", text)}
    return (mounting - known) | (others - ours - OPTIONS_OF_OTHERS.keys())


@pytest.mark.parametrize("document", [*DOCUMENTS, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_options_are_there(document):
    assert lacking_options(*options_named(document)) == set()


def test_a_wrong_option_is_seen():
    assert lacking_options({"v2", "nothing"}, {"--memory", "--agent", "--nothing-of-ours"}) == \
        {"nothing", "--nothing-of-ours"}


def test_a_wrong_command_is_seen():
    """By its program, its target, its script and its option."""
    for line in ("make nothing", "scripts/nothing.sh", "scripts/prepare-node.sh --nothing", "nothing x",
                 "fuse_cgroup_run --nothing -- true", "fuse_cgroup_run --v2 -- nothing",
                 "build/fuse_cgroupfs --nothing /mnt", "fuse_cgroupfs -o v2,nothing=1 /mnt"):
        assert [fault for words in simple(line) for fault in faults(words)], line


# Names of the kernel's and of libraries' functions, in the documents.
NOT_OURS = {"cputime_adjust", "do_exit", "fork", "clone", "exec", "setsid", "write", "fsync", "wait",
            "setupKernelTunables", "request_wait_answer", "vmpressure_calc_level", "update_prstate"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_there(document):
    """In code spans: `ledger/fork.c`, `task_fork()`."""
    text = document.read_text(encoding="utf-8")
    folders = ("src", "include", "tests", "bench", "scripts")
    files = [str(path) for folder in folders for path in (ROOT / folder).rglob("*")]
    named = re.findall(r"`([\w./-]+\.(?:c|h|py|sh|bats))`", text)
    lacking = {name for name in named if not any(file.endswith("/" + name) for file in files)}
    assert lacking - ELSEWHERE.keys() == set()
    source = "\n".join(path.read_text(encoding="utf-8", errors="replace") for folder in folders[:2]
                       for path in (ROOT / folder).rglob("*.[ch]"))
    functions = set(re.findall(r"`(\w+)\(\)`", text)) - NOT_OURS
    assert {name for name in functions if not re.search(rf"\b{name}\(", source)} == set()
