# SPDX-License-Identifier: MIT
"""Each message of the daemon's command line, a row each: what is given, and the one line that is said."""

import os
import re
import sys

import pytest

import mounting
from test_check import NEW_DEV, NOBODY, SAID, serve

sys.path.insert(0, str(mounting.ROOT / "tests"))

import messages  # noqa: E402

HINT = "--help shows the options"

# Options and arguments ({} is a directory to mount on); what is said, as a regular expression.
LINES = [
    ([], "no mount point given; try: mkdir /tmp/fuse-cgroup && fuse_cgroupfs /tmp/fuse-cgroup"),
    ([""], "no mount point given; try: mkdir /tmp/fuse-cgroup && fuse_cgroupfs /tmp/fuse-cgroup"),
    (["{}", "/tmp/other"], "one mount point only, not also '/tmp/other'; --help shows what can be given"),
    (["one", "two", "{}"], "one mount point only, not also '{}'; --help shows what can be given"),
    (["-o"], f"missing argument after `-o'; {HINT}"),
    (["--check", "{}"], "--check takes nothing beside it: it mounts for itself"),
    (["--nonsense", "{}"], f"unknown option\\(s\\): `--nonsense'; {HINT}"),
    (["-o", "nonsense=1", "{}"], f"unknown option\\(s\\): `-o nonsense=1'; {HINT}"),
    (["-o", "controllers=cpu,memory", "{}"],
     "-o memory: a comma ends the list of controllers: write it with colons, as in controllers=cpu:memory"),
    (["-o", "controllers=cpu:nonsense", "{}"],
     "-o controllers: there is no controller 'nonsense'; --help lists those there are"),
    (["-o", "controllers=", "{}"], "-o controllers: there is no controller ''; --help lists those there are"),
    (["-o", "accounting=x", "{}"], "-o accounting: 'x' is none of auto, events and scan"),
    (["-o", "accounting=tracer", "{}"],
     "-o accounting=tracer: Bad file descriptor: it is fuse_cgroup_run's, which tells on a pipe of its own"),
    (["-o", "freeze=x", "{}"], "-o freeze: 'x' is neither stop nor none"),
    (["-o", "view=x", "{}"], "-o view: 'x' is neither host nor container"),
    *((["-o", f"{options}:{name}", "{}"],
       f"-o with: there is no '{name}' in this tree; --help lists what there is")
      for options, name in (("v2,with=dmem", "nosuch"), ("v2,with=dmem", "io.max"), ("v2,with=dmem", ""),
                            ("with=blkio.prio.class", "dmem"), ("with=blkio.prio.class", "io.latency"),
                            ("v2,controllers=cpu,with=dmem", "io.latency"))),
    (["-o", "with=a:b:c:d:e:f:g:h", "{}"],
     "-o with: there are not so many names as these; --help lists them"),
    (["-o", "state=", "{}"], "-o state: no directory given; try: state=/var/lib/fuse_cgroupfs"),
    (["-o", "state=/nowhere/state", "{}"],
     "-o state: /nowhere/state: No such file or directory: name a directory that is there or can be made"),
    (["-o", "state=/etc/passwd", "{}"],
     "-o state: /etc/passwd: Not a directory: name a directory that is there or can be made"),
    (["-o", "native=", "{}"], "-o native: no directory given; try: native=auto"),
    (["-o", "native=auto,v2", "{}"],
     "-o native: there is nothing of cgroup v2 to have below: leave out v2 or native"),
    (["-o", "native=auto,state=/var/lib/state", "{}"],
     "-o native: what the kernel has counted is not kept: leave out state or native"),
    (["-o", "native=/nowhere", "{}"], "-o native=/nowhere: No such device: no cgroup of v1 is mounted on a "
     "directory there that has its controller's name"),
    (["-o", "log=", "{}"], "-o log: no file given; try: log=/var/log/fuse_cgroupfs.log"),
    (["-o", "log=/nowhere/log", "{}"],
     "-o log: /nowhere/log: No such file or directory: name a file that can be made or written to"),
    (["-o", "log=/etc", "{}"], "-o log: /etc: Is a directory: name a file that can be made or written to"),
    (["{}/missing"], "{}/missing: no such directory: make it with mkdir first"),
    (["/"], "/: a tree would hide what is needed here: choose another directory"),
    (["/proc"], "/proc: a tree would hide what is needed here: choose another directory"),
    (["/etc/passwd"], "/etc/passwd: not a directory: a mount point must be one"),
    (["/etc/passwd/x"], "/etc/passwd/x: Not a directory: choose another directory"),
]

# A name; a shell script that makes a place lack something (run as root in a mount namespace of its own,
# /mnt/d is a directory on a tmpfs), options, and what is said there.
PLACES = [
    ("no_fuse", f"{NEW_DEV}; mount -o remount,ro /dev", [],
     r"/dev/fuse: No such file or directory: load the module \(modprobe fuse\), or give the container "
     r"the device \(--device /dev/fuse\)"),
    ("other_device", f"{NEW_DEV}; mknod /dev/fuse c 1 3", [],
     r"/dev/fuse: is not the FUSE device: put that in its place "
     r"\(rm -r /dev/fuse; mknod -m 666 /dev/fuse c 10 229\)"),
    ("directory_for_device", f"{NEW_DEV}; mkdir /dev/fuse", [], r"/dev/fuse: is not the FUSE device: put .*"),
    ("nodev", f"{NEW_DEV}; mknod /dev/fuse c 10 229; mount -o remount,nodev /dev", [],
     "/dev/fuse: Permission denied: is its filesystem mounted with nodev\\? Mount that with dev, or another "
     "/dev"),
    ("not_permitted", f'{NEW_DEV}; mknod -m 600 /dev/fuse c 10 229; set -- {NOBODY} "$@"', [],
     "/dev/fuse: Permission denied: run as root, or let this user open it"),
    ("not_ours", f'{NEW_DEV}; mknod -m 666 /dev/fuse c 10 229; set -- {NOBODY} "$@"', [],
     r".*: cannot mount: .*: run as root, or with fuse3 \(fusermount3\) on a directory of your own"),
    ("no_fusermount",
     f'{NEW_DEV}; mknod -m 666 /dev/fuse c 10 229; chown 65534 /mnt/d; set -- {NOBODY} "$@"; '
     'mount --bind /etc/passwd "$(command -v fusermount3)"', [],
     r"/mnt/d: cannot mount: .*(exec|call).*fusermount.*: run as root, or install fuse3, which has "
     r"fusermount3"),
    ("no_right", 'set -- setpriv --bounding-set=-sys_admin "$@"', [],
     r".*: cannot mount: .*: this needs CAP_SYS_ADMIN \(in a container: --cap-add SYS_ADMIN\), or a user "
     r"namespace \(unshare -Urm\)"),
    ("no_proc", "mount -t tmpfs none /proc", [], r"/proc: .*: mount it first \(mount -t proc proc /proc\)"),
    ("read_only", "mount -o remount,ro /mnt", ["/mnt/missing"],
     r"/mnt/missing: no such directory, and none can be made where all is read-only: choose one elsewhere "
     r"\(/dev/shm or another tmpfs\)"),
    ("state_on_read_only", "mount -o remount,ro /mnt", ["-o", "state=/mnt/state", "/mnt/d"],
     "-o state: /mnt/state: Read-only file system: name a directory that is there or can be made"),
    ("state_that_is_read", "mkdir -m 700 /mnt/state; mount -o remount,ro /mnt",
     ["-o", "state=/mnt/state", "/mnt/d"],
     "-o state: /mnt/state: Read-only file system: make room, or name a directory that can be written to"),
    ("state_of_all", "mkdir /mnt/state; chmod 777 /mnt/state", ["-o", "state=/mnt/state", "/mnt/d"],
     "-o state: /mnt/state: others may write to it, who could have daemons do anything: chmod go-w, or use "
     "another"),
    ("state_by_another's_link", "mkdir -m 700 /mnt/state; ln -s state /mnt/link; chown -h 65534 /mnt/link",
     ["-o", "state=/mnt/link/", "/mnt/d"],
     "-o state: /mnt/link/: it is a link of user 65534, who could lead daemons anywhere: remove it, or name "
     "another directory"),
    ("state_without_end", "mkdir -m 700 /mnt/state; truncate -s 1T /mnt/state/state",
     ["-o", "state=/mnt/state", "/mnt/d"],
     "-o state: /mnt/state/state is refused: it is larger than 1 GiB, which no daemon has written; it is "
     "kept as /mnt/state/state.refused-.*, and the next start begins anew"),
    ("log_that_nobody_reads", "mkfifo /mnt/log", ["-o", "log=/mnt/log", "/mnt/d"],
     "-o log: /mnt/log: nobody reads this pipe: name a file that can be made or written to"),
    ("log_by_another's_link", "touch /mnt/log; ln -s log /mnt/link; chown -h 65534 /mnt/link",
     ["-o", "log=/mnt/link", "/mnt/d"],
     "-o log: /mnt/link: it is a link of user 65534, who could have us write anywhere: remove it, or name "
     "another file"),
    ("mounted_already", serve("/mnt/d"), ["/mnt/d"],
     "/mnt/d: a FUSE filesystem is already mounted here: unmount it with fusermount3 -u, or choose another "
     "directory"),
    ("dead_mount",
     f'{serve("/mnt/d")}; {{ kill -9 "$!"; wait "$!"; }} 2>/dev/null || :; set -- {NOBODY} "$@"',
     ["/mnt/d"], "/mnt/d: a FUSE filesystem whose daemon has died is mounted here: unmount it with "
     "fusermount3 -u -z"),
    ("odd_option", ":", ["-o", "blksize=3", "/mnt/d"],
     r"/mnt/d: cannot mount: .*: the kernel does not take these mount options, or this /dev/fuse; --help "
     r"shows ours"),
    ("log_on_read_only", "mount -t tmpfs -o ro none /mnt/d", ["-o", "log=/mnt/d/log", "/mnt/d"],
     "-o log: /mnt/d/log: Read-only file system: name a file that can be made or written to"),
]

# What is said elsewhere, by how it begins, and the test that has it.
ELSEWHERE = {
    "requests: by %s": "test_check.py::test_log_in_a_file",
    "-o native=auto: this is not gVisor": "test_native.py::test_auto",
    "gVisor has none of these": "test_native.py::test_auto",
    "io_uring": "test_command_line.py::test_io_uring",
    "-o accounting=events": "test_log.py::test_events_that_are_not_to_be_had",
    "a request does not end: it is left": "test_lifetime.py::test_signal_while_a_request_never_ends",
    "%s %s%s%s%s by task %d of user %u": "test_check.py::test_debug_tells_what_happens",
    "%u open files are too few": "test_messages.py::test_few_descriptors",
    ": raise the limits of memory and of processes": "test_messages.py::test_no_threads",
    "its threads cannot be had": "test_messages.py::test_no_threads",
    "everything works that is not said to be lacking": "test_check.py::test_check",
    "fuse_cgroupfs %s on %s": "test_check.py::test_check",
    "the tree %s%s%s": "test_check.py::test_check",
}
# What no test can bring about, by how it begins, and why.
EXCUSED = {
    "cannot go into the background": "it is for want of memory or processes",
    ": raise the limit of open files": "the daemon has enough of them, or does not begin",
    "cannot leave the working directory": "there is always a way to /",
    "the starting process is gone": "it would have to be killed while it waits, which is a moment",
    "the filesystem was unmounted": "a line of -d, in gVisor",
    "names of removed cgroups are kept": "of an older libfuse, in gVisor",
    "events of processes": "who may mount may have events, but where no kernel has them",
    "; CAP_PERFMON, or": "the same",
    "seccomp user notification": "the kernel of the tests has it",
    "no process can be started": "it is for want of memory",
    ": gVisor permits this": "it is said there, where root has all rights",
    ": the kernel has no FUSE": "then no test is run",
    ": fuse_cgroupfs --check tells": "it is there for what nobody has seen yet",
    # no messages
    "Usage": "--help", "\\n       accounting=SOURCE": "--help", "fuse_cgroupfs %s (": "--version",
    "scans of /proc": "looked for in the daemon's log", "events from": "looked for in the daemon's log",
    "Failed to call": "looked for in what libfuse says", "standard error": "the name of a file in memory",
    "Linux, for sendfile": "the name of a platform", "#1 SMP": "gVisor's uname(2)",
    "out of memory": "it is there",
    "cannot build the tree": "it is for want of memory",
    "%s\\n": "these are the log's lines",
}


def said(result):
    assert (result.returncode, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("fuse_cgroupfs: "), result.stderr
    return lines[0].removeprefix("fuse_cgroupfs: ")


@pytest.mark.parametrize("arguments, expected", LINES, ids=[" ".join(row[0]) or "nothing" for row in LINES])
def test_line(directory, arguments, expected):
    result = mounting.run("-f", *(each.replace("{}", str(directory)) for each in arguments))
    assert re.fullmatch(expected.replace("{}", str(directory)), said(result))
    assert not mounting.mounts_on(directory)


@pytest.mark.usefixtures("private_mounts")
@pytest.mark.parametrize("script, arguments, expected", [
    pytest.param(*row[1:], id=row[0], marks=[pytest.mark.native] if row[0] == "no_proc" else [])
    for row in PLACES])
def test_place(script, arguments, expected):
    whole = f'mount -t tmpfs none /mnt; mkdir -m 755 /mnt/d; cd /; {script}; exec "$@"'
    result = mounting.run("-f", *(arguments or ["/mnt/d"]), wrapper=[
        "unshare", "-m", "--propagation", "private", "sh", "-ec", whole, "sh"])
    assert re.fullmatch(expected, said(result))


@pytest.mark.native  # a sanitizer takes address space without end
def test_no_threads(directory, tmp_path):
    """With ever more memory, until it starts: before that it says why not, and nothing is mounted."""
    lines = set()
    for kilobytes in range(8000, 200000, 4000):
        result = mounting.run("-o", f"state={tmp_path}/state", directory,
                              wrapper=["sh", "-c", f'ulimit -v {kilobytes}; exec "$@"', "sh"])
        if result.returncode == 0:
            break
        assert not mounting.mounts_on(directory)
        if result.returncode == 1:  # else it has not been loaded
            lines.add(said(result))
    assert result.returncode == 0 and mounting.mounts_on(directory)
    mounting.unmount(directory)
    assert "its threads cannot be had: raise the limits of memory and of processes (ulimit -v, " \
           "ulimit -u)" in lines


def test_few_descriptors(directory):
    """Where there are 64 of them it serves and ends: test_all_users_together_leave_half."""
    for number in (63,) if mounting.SANITIZED else (5, 8, 63):  # that has files of its own
        for arguments in (["-f", directory], [directory], ["--check"]):
            result = mounting.run(*arguments, wrapper=["setpriv", "--bounding-set=-sys_resource", "sh", "-c",
                                                       f'ulimit -n {number}; exec "$@"', "sh"])
            assert said(result) == f"{number} open files are too few: raise the limit of open files " \
                                   "(ulimit -n) to 64 or more"


def test_every_message_has_a_row():
    """Those of the command line, and those of --check."""
    rows = [f"fuse_cgroupfs: {row[-1]}" for row in LINES + PLACES] + [row[-1] for row in SAID]
    assert messages.not_said(["src/daemon", "src/base"], rows, [*ELSEWHERE, *EXCUSED]) == []


def test_what_is_elsewhere_is_there():
    assert messages.not_there(ELSEWHERE, "tests/mount") == []
