# SPDX-License-Identifier: MIT
"""Each message of the launcher's command line, a row each: what is given, and the one line that is said."""

import errno
import os
import re
import sys

import pytest

import launcher
import mounting
from launcher import AT, RUN

sys.path.insert(0, str(mounting.ROOT / "tests"))

import messages  # noqa: E402

HINT = "--help shows the options"
SIZE = "a size is a number with b, k, m, g, t or p after it, as 512m or 1.5g"
LIST = "it is a list of numbers, as 0-2,5"

# Options, and what is said, as a regular expression.
LINES = [
    ([], f"no command given; {HINT}"),
    ([""], f"no command given; {HINT}"),
    (["--nonsense", "true"], f"there is no option --nonsense; {HINT}"),
    (["-z", "true"], f"there is no option -z; {HINT}"),
    (["--root"], f"a value is missing after --root; {HINT}"),
    (["-m"], f"a value is missing after -m; {HINT}"),
    (["--at", "here", "true"], f"--at must be an absolute path below /, not here; {HINT}"),
    (["--at", "/", "true"], f"--at must be an absolute path below /; {HINT}"),
    (["--backend", "x", "true"], f"--backend must be notify or trace, not x; {HINT}"),
    (["--memory", "5x", "true"], f"--memory cannot be '5x': {SIZE}"),
    (["-m", "-1", "true"], f"--memory cannot be '-1': {SIZE}"),
    (["-m", "512", "true"], r"--memory cannot be less than docker's least, 6m \(512m: mega, 512: bytes\)"),
    (["--memory-swap", "x", "true"], f"--memory-swap cannot be 'x': {SIZE}, and -1 is no limit"),
    (["--memory-swap", "1g", "true"], "--memory-swap needs --memory: give that too"),
    (["-m", "2g", "--memory-swap", "1g", "true"],
     "--memory-swap is memory and swap: it cannot be less than --memory"),
    (["--memory-reservation", "x", "true"], f"--memory-reservation cannot be 'x': {SIZE}"),
    (["--memory-reservation", "1m", "true"],
     r"--memory-reservation cannot be less than docker's least, 6m \(512m: mega, 512: bytes\)"),
    (["-m", "1g", "--memory-reservation", "2g", "true"], "--memory-reservation cannot be more than --memory"),
    (["--memory-swappiness", "101", "true"],
     "--memory-swappiness cannot be '101': it is a number from 0 to 100"),
    (["--cpus", "-1", "true"],
     "--cpus cannot be '-1': processors are counted from 0.01, with up to nine digits of "
                               "fraction, as 1.5"),
    (["--cpus", "1000", "true"],
     rf"--cpus cannot be more than {os.sysconf('SC_NPROCESSORS_ONLN')}.00: there are only so many "
     rf"processors here"),
    (["--cpus", "1", "--cpu-quota", "5000", "true"],
     "--cpus is a quota and a period: leave out --cpu-quota and --cpu-period"),
    (["--cpus", "1", "--cpu-period", "5000", "true"],
     "--cpus is a quota and a period: leave out --cpu-quota and --cpu-period"),
    *((["--cpu-quota", quota, "true"], f"--cpu-quota cannot be '{quota}': it is a number of us from 1000 to "
                                       "17592186044415, and -1 is no limit")
      for quota in ("999", "17592186044416")),
    (["--cpu-period", "999", "true"],
     "--cpu-period cannot be '999': it is a number of us from 1000 to 1000000"),
    (["--cpu-period", "1000001", "true"],
     "--cpu-period cannot be '1000001': it is a number of us from 1000 to 1000000"),
    (["-c", "1", "true"],
     "--cpu-shares cannot be '1': it is a number from 2, and 1024 is the kernel's default"),
    (["--cpuset-cpus", "", "true"], f"--cpuset-cpus cannot be '': {LIST}"),
    (["--cpuset-mems", "", "true"], f"--cpuset-mems cannot be '': {LIST}"),
    (["--blkio-weight", "9", "true"], "--blkio-weight cannot be '9': it is a number from 10 to 1000"),
    (["--blkio-weight", "1001", "true"], "--blkio-weight cannot be '1001': it is a number from 10 to 1000"),
    *((["--pids-limit", number, "true"],
       f"--pids-limit cannot be '{number}': it is a number up to 4194304, and -1 is no limit")
      for number in ("few", "4194305")),
    (["--cgroup-parent", "../x", "true"], "--cgroup-parent cannot be '../x': it is the path of a cgroup, as "
                                          '/pods/web, without ".." and of 40 bytes at most'),
    (["--cgroup-parent", "x" * 41, "true"], "--cgroup-parent cannot be 'x+': .* of 40 bytes at most"),
    (["--cgroup-parent", "cgroup.procs", "true"],
     r"the cgroup /cgroup.procs(/run-\d+)? cannot be made: Not a directory: choose its parent with "
     "--cgroup-parent"),
    (["--cpuset-cpus", "99999", "true"], r"cpuset.cpus cannot be 99999: .*: there are [\d,-]+"),
    (["--cpuset-mems", "63", "true"], r"cpuset.mems cannot be 63: .*: there are [\d,-]+"),
    (["--v2", "--cpuset-cpus", "99999", "true"], r"cpuset.cpus cannot be 99999: .*: there are [\d,-]+"),
]


@pytest.mark.parametrize("arguments, expected", LINES,
                         ids=[" ".join(row[0])[:50] or "nothing" for row in LINES])
def test_line(arguments, expected):
    with launcher.temporary() as directory:
        result = mounting.subprocess.run([*launcher.WITHOUT_CGROUPS, RUN, *arguments], text=True, check=False,
                                         capture_output=True, env=launcher.environment(directory))
    assert result.stdout == ""
    assert re.fullmatch(f"fuse_cgroup_run: {expected}", launcher.complaint(result))


# A tree at /mnt for as long as the command runs, which takes the shell's place.
SERVE = (f"setpriv --pdeathsig TERM {mounting.BINARY} -f {{}} /mnt >/dev/null 2>&1 & "
         "until mountpoint -q /mnt; do sleep 0.01; done")

# A name; a shell script that makes a place lack something (in a mount namespace of its own, without
# cgroups; {} is a directory that is there), options and command, and what is said there with which status.
PLACES = [
    ("no_fuse", "mount -t tmpfs none /dev; touch /dev/null; mount -o remount,ro /dev", ["true"],
     launcher.OURS,
     r"its daemon did not start: fuse_cgroupfs: /dev/fuse: No such file or directory: load the module .*"),
    ("no_proc", "mount -t tmpfs none /proc", ["true"], launcher.OURS,
     r"/proc is missing or of another pid namespace: mount it \(unshare has --mount-proc\)"),
    ("no_sysfs", "umount -R /sys", ["true"], launcher.OURS,
     f"{AT}: No such file or directory: mount sysfs first, or choose another directory with --at"),
    ("no_place", ":", ["--at", "/etc/passwd", "true"], launcher.OURS,
     "/etc/passwd: Not a directory: mount sysfs first, or choose another directory with --at"),
    ("no_temporary_directory", "export TMPDIR=/nowhere", ["true"], launcher.OURS,
     "/nowhere: its daemon's directory cannot be made there: No such file or directory: "
     "choose another with TMPDIR, or mount a tmpfs there"),
    ("place_hides_daemon", ":", ["--at", "{}", "true"], launcher.OURS,
     "--at: {} would hide {}/.*: choose another TMPDIR"),
    ("no_root", ":", ["--root", "/nowhere", "true"], launcher.OURS,
     "--root: /nowhere: No such file or directory: mount fuse_cgroupfs there first"),
    ("root_that_is_a_file", ":", ["--root", "/etc/passwd", "true"], launcher.OURS,
     "--root: /etc/passwd: Not a directory: mount fuse_cgroupfs there first"),
    ("root_of_another", ":", ["--root", "/proc", "true"], launcher.OURS,
     "--root: /proc is no mount of fuse_cgroupfs: mount it there first"),
    ("root_of_another_version", SERVE.format(""), ["--root", "/mnt", "--v2", "true"], launcher.OURS,
     "--root: /mnt is of cgroup v1: leave --v1 and --v2 away"),
    ("root_without_controller", SERVE.format("-o controllers=cpu"),
     ["--root", "/mnt", "-m", "1g", "true"], launcher.OURS,
     "the tree has no memory.limit_in_bytes: mount it with the controller memory"),
    ("no_directory_in_the_tree", "mount -t tmpfs none /mnt; mkdir /mnt/other; cd /mnt/other",
     ["--at", "/mnt", "true"], launcher.OURS,
     "the working directory, /mnt/other, is not in the tree: No such file or directory: start it elsewhere"),
    ("no_size_of_files", 'set -- setpriv --bounding-set -sys_resource bash -c '
     '\'ulimit -f 1; exec "$@"\' sh "$@"', ["true"], launcher.OURS,
     r"files may have \d+ bytes at most \(ulimit -H -f\), and the tables need \d+: raise it"),
    ("no_command", ":", ["/nowhere/command"], 127, "/nowhere/command: No such file or directory"),
    ("no_program", ":", ["/etc/passwd"], 126, "/etc/passwd: Permission denied"),
    ("no_daemon", f"mount -t tmpfs none /mnt; cp {RUN} /mnt; set -- /mnt/fuse_cgroup_run true; PATH=/nowhere",
     ["true"], launcher.OURS,
     "its daemon, fuse_cgroupfs, cannot be run: No such file or directory: install it beside "
     "fuse_cgroup_run, or in PATH"),
    ("daemon_not_to_be_run", f"mount -t tmpfs none /mnt; cp {RUN} /mnt; touch /mnt/fuse_cgroupfs; "
     "set -- /mnt/fuse_cgroup_run true; PATH=/nowhere", ["true"], launcher.OURS,
     "its daemon, fuse_cgroupfs, cannot be run: Permission denied: install it beside fuse_cgroup_run, or in "
     "PATH"),
]

# What is said elsewhere, by how it begins: where the tests have it, or why they cannot have it.
ELSEWHERE = {
    "process %s wants %s": "test_messages.py::test_second_tracer",
    "a seccomp listener of its own: refused (EBUSY)": "test_programs.py::test_own_listener",
    "to trace or be traced: refused (EPERM), the kernel permits one tracer":
        "test_messages.py::test_second_tracer",
    " (further ones are not told of)": "test_programs.py::test_no_program_fills_the_log",
    "%s %s(%s): %s": "test_command_line.py::test_trace",
    "another seccomp listener is at work here already": "test_command_line.py::test_within_itself",
    "its supervisor was killed": "test_ends.py::test_supervisor_killed_with_descendants",
    "its daemon has ended": "test_ends.py::test_daemon_killed",
    "--memory-swappiness: cgroup v2 has none": "test_messages.py::test_v2_has_no_swappiness",
    "a mount namespace of its own cannot be had": "test_user.py::test_no_user_namespaces",
    "run as root, or where user namespaces are permitted": "test_user.py::test_no_user_namespaces",
    ": raise the limit of open files": "test_command_line.py::test_few_descriptors",
    "our file": "test_command_line.py::test_trace",
}
EXCUSED = {
    "seccomp user notification": "the kernel of the tests has it",
    "the seccomp filter": "it is for want of memory",
    "no process can be started": "it is for want of memory",
    "the command cannot be served": "it is for want of memory or descriptors",
    "its own rights cannot be let go of": "a kernel lets everybody do that",
    "the supervisor has lost its own rights": "nobody takes them away",
    "/proc and /sys cannot be read": "it is for want of descriptors",
    "this user cannot be mapped": "whoever may have a user namespace may be mapped into it",
    "run as root": "the same",
    "root needs CAP_SETFCAP": "the same",
    "its log": "it is for want of memory",
    "its daemon's process": "the same",
    "who was to start it has been killed": "nobody but root may end that process",
    "its mounts cannot be made private": "whoever has a mount namespace may",
    "the tree cannot be mounted": "the same",
    "a tmpfs cannot be mounted": "the same",
    "the kernel's": "what --trace says of a call that only the kernel answers",
    # no messages
    "Usage": "--help", "fuse_cgroup_run %s": "--version",
    "CLONE_INTO_CGROUP": "a call, as --trace shows it",
    "fscontext": "the name of a file in memory",
    "max %": "what is written to cpu.max",
    "device %s mounted": "a line of /proc/self/mountstats", "no device": "the same",
    "\\nMax file locks": "a line of /proc/self/limits",
}


@pytest.mark.parametrize("script, arguments, status, expected", [
    pytest.param(*row[1:], id=row[0]) for row in PLACES
    if not (mounting.SANITIZED and row[0] == "no_proc")])  # without which no sanitizer starts
def test_place(script, arguments, status, expected):
    with launcher.temporary() as directory:
        wrapper = [*launcher.WITHOUT_CGROUPS, "sh", "-ec", f'{script}; exec "$@"', "sh"]
        result = mounting.subprocess.run(
            [*wrapper, RUN, *(each.replace("{}", str(directory)) for each in arguments)], text=True,
            capture_output=True, env=launcher.environment(directory), cwd="/", check=False)
    line = launcher.complaint(result, status)
    assert re.fullmatch(f"fuse_cgroup_run: {expected}".replace("{}", str(directory)), line)


def test_every_message_has_a_row():
    """Whole lines, and parts of lines that a function puts together."""
    rows = [f"fuse_cgroup_run: {row[-1]}".replace("\\", "") for row in LINES + PLACES]
    known = [*ELSEWHERE, *EXCUSED]
    assert messages.not_said(["src/run"], rows, known) == []


def test_what_is_elsewhere_is_there():
    assert messages.not_there(ELSEWHERE, "tests/run") == []


def test_second_tracer():
    """ptrace(PTRACE_TRACEME) of a program whose calls are caught by ptrace; it is told on standard error."""
    ask = "import ctypes; libc = ctypes.CDLL(None, use_errno=True); " \
          "print(libc.ptrace(0, 0, 0, 0), ctypes.get_errno())"
    result = launcher.launch(sys.executable, "-c", ask, options=["--backend=trace"])
    assert (result.returncode, result.stdout) == (0, f"-1 {errno.EPERM}\n")
    assert re.fullmatch(r"fuse_cgroup_run: process \d+ wants to trace or be traced: refused \(EPERM\), the "
                        r"kernel permits one tracer and fuse_cgroup_run is it\n", result.stderr)


def test_v2_has_no_swappiness():
    """docker warns and leaves it out; the command runs."""
    result = launcher.launch("true", options=["--v2", "--memory-swappiness", "0"])
    assert (result.returncode, result.stderr) == (
        0, "fuse_cgroup_run: --memory-swappiness: cgroup v2 has none: left out (--v1 has it)\n")
