# SPDX-License-Identifier: MIT
"""What the daemon tells of itself: --check, the log in a file, and what -d shows."""

import os
import re
import subprocess

import pytest

import mounting
from mounting import HIERARCHIES, mounts_on, run, wait_until

PRIVATE = ["unshare", "-m", "--propagation", "private", "sh", "-ec"]


def check(*, status, wrapper=()):
    """[(verdict, text)] of the report; no directory and no mount may be left."""
    with mounting.mount_point() as place:
        result = run("--check", wrapper=["env", f"TMPDIR={place}", *wrapper])
        assert os.listdir(place) == []
    assert (result.returncode, result.stderr) == (status, ""), result
    first, *lines, last = result.stdout.splitlines()
    assert re.match(r"fuse_cgroupfs \d+\.\d+\S* on \w+ \S+ \(\w+\), as user \d+$", first)
    report = [line.split(None, 1) for line in lines]
    failed = sum(verdict == "FAIL" for verdict, _ in report)
    assert bool(failed) == bool(status)
    assert last == (f"{failed} failed" if failed else "everything works that is not said to be lacking")
    return report


WITHOUT_EVENTS = ["setpriv", "--bounding-set=-perfmon,-net_admin"] if os.geteuid() == 0 else []


@pytest.mark.parametrize("wrapper", [[], WITHOUT_EVENTS], ids=["as we are", "without events"])
def test_check(wrapper):
    report = check(status=0, wrapper=wrapper)
    provided = next(text.split()[3:] for verdict, text in report if text.startswith("the tree provides"))
    assert sorted(provided) == HIERARCHIES
    assert ["ok", "the tree takes a limit of 512M, in bytes: 536870912"] in report
    assert ["ok", "the daemon ends when told to, and unmounts"] in report


NEW_DEV = "mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3"


@pytest.mark.parametrize("script, says", [
    (f"{NEW_DEV}; mount -o remount,ro /dev", "/dev/fuse: No such file"),
    (f"{NEW_DEV}; mknod /dev/fuse c 1 3", "/dev/fuse: is not the FUSE device"),
    ('set -- setpriv --bounding-set=-sys_admin,-setfcap "$@"', "mounting is not permitted"),
    pytest.param("mount -t tmpfs none /proc", "there is no /proc", marks=pytest.mark.native),
    ('set -- env TMPDIR=/nowhere "$@"', "/nowhere: no directory to mount on can be made")],
                         ids=["no device", "another device", "no_right", "no /proc", "no directory"])
def test_check_says_what_is_missing(script, says):
    report = check(status=1, wrapper=[*PRIVATE, f'{script}; exec "$@"', "sh"])
    assert any(verdict == "FAIL" and text.startswith(says) for verdict, text in report), report


@pytest.mark.native
def test_check_in_a_user_namespace():
    """Where that gives the right to mount the rest is looked at there."""
    report = check(status=0, wrapper=["setpriv", "--bounding-set=-sys_admin"])
    assert any(verdict == "lacks" and text.startswith("CAP_SYS_ADMIN: mounting") for verdict, text in report)
    assert ["ok", "the daemon ends when told to, and unmounts"] in report


def test_device_is_made():
    """Where there is none, and who runs may make it; it is every user's then, whatever the umask."""
    script = "umask 077; \"$@\"; " \
             "test \"$(stat -c '%F %t:%T %a' /dev/fuse)\" = 'character special file a:e5 666'"
    report = check(status=0, wrapper=[*PRIVATE, f"{NEW_DEV}; {script}", "sh"])
    assert ["ok", "/dev/fuse is there and can be opened"] in report


def test_device_is_not_left_where_it_cannot_be_opened():
    script = "mount -o remount,nodev /dev; \"$@\" || status=$?; test ! -e /dev/fuse; exit $status"
    report = check(status=1, wrapper=[*PRIVATE, f"{NEW_DEV}; {script}", "sh"])
    assert any(text.startswith("/dev/fuse: Permission denied: is its filesystem mounted with nodev?")
               for _, text in report), report


@pytest.mark.parametrize("script, says", [
    ("rm -f /dev/log", "/dev/log: a daemon in the background has nowhere to log to"),
    ("while mountpoint -q /sys/fs/cgroup; do umount -R /sys/fs/cgroup; done", "the machine has no cgroups")],
                         ids=["no_log", "no_cgroups"])
def test_check_says_what_one_can_do_without(script, says):
    private_dev = "mount -t tmpfs none /mnt; cp -a /dev/null /dev/fuse /mnt/; mount --move /mnt /dev"
    report = check(status=0, wrapper=[*PRIVATE, f'{private_dev}; {script}; exec "$@"', "sh"])
    assert any(verdict == "lacks" and text.startswith(says) for verdict, text in report), report


# --- the log ---

def log_lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@pytest.mark.parametrize("mode", [["-f"], []], ids=["foreground", "background"])
def test_log_in_a_file(tmp_path, directory, mode):
    """In the background there is no /dev/log in many a place; a file that is there is added to."""
    log = tmp_path / "log"
    log.write_text("before\n")
    options = [*mode, "-o", f"log={log},accounting=scan"]
    if mode:
        daemon = mounting.Daemon(directory, *options[1:])
        assert daemon.stop() == (0, "")
    else:
        result = run(*options, directory)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
        os.listdir(directory)  # who takes requests is told with the first
        mounting.unmount(directory)
    assert wait_until(lambda: len(log_lines(log)) == 3)
    before, line, requests = log_lines(log)
    assert before == "before"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ fuse_cgroupfs\[\d+\]: accounting: scans of /proc",
                        line)
    assert "]: requests: by " in requests


def test_debug_tells_what_happens(tmp_path, directory):
    """In our own terms, beside libfuse's trace."""
    log = tmp_path / "log"
    daemon = mounting.Daemon(directory, "-o", f"debug,log={log},state={tmp_path}/state")
    web = daemon / "memory" / "web"
    web.mkdir()
    script = f"echo $$ >{web}/cgroup.procs; sleep 1000 & echo $!; read go; kill $!; wait"
    with subprocess.Popen(["sh", "-c", script], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as child:
        forked = int(child.stdout.readline())
        assert str(forked) in (web / "cgroup.procs").read_text().split()
    assert (web / "cgroup.procs").read_text() == ""
    shell = int(re.search(r"attach: process or task (\d+) to", log.read_text()).group(1))
    with pytest.raises(OSError):
        (web / "memory.limit_in_bytes").write_text("12mon\nkeys\x1b\n")
    web.rmdir()
    assert daemon.stop()[0] == 0
    told = [line.split("]: ", 1)[1] for line in log_lines(log)]
    caller = f"by task {os.getpid()} of user {os.geteuid()}"
    for line in (f"mkdir /memory/web {caller}: done",
                 f"attach: process or task {shell} to memory:/web: done (1 tasks)",
                 f'write /memory/web/cgroup.procs "{shell}" by task {shell} of user {os.geteuid()}: done',
                 f"accounting: task {forked} of process {forked} was forked by task {shell}, and is in its "
                 "cgroups",
                 f"accounting: task {forked} of process {forked} has ended",
                 f'write /memory/web/memory.limit_in_bytes "12mon?keys?" {caller}: Invalid argument',
                 f"rmdir /memory/web {caller}: done"):
        assert line in told, line
    assert any(re.fullmatch(r"state: what has changed, \d+ bytes: written", line) for line in told)
    assert re.fullmatch(r"state: all that there is, \d+ bytes: written", told[-1])
    assert any(re.match(r"libfuse: (\w+ )?unique: ", line) for line in told)


# --- the source ---

@pytest.mark.parametrize("arguments, source", [
    ([], "cgroup"), (["none"], "none"), (["a,b\\c"], "a,b\\c"), (["-o", "fsname=mine"], "mine"),
    (["-o", "fsname=mine", "none"], "mine")], ids=["ours", "none", "odd", "option", "both"])
def test_source(directory, arguments, source):
    """mount(8) names the source first, and looks for it in the tables."""
    assert run("-o", "accounting=scan", *arguments, directory).returncode == 0
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        line = next(line.split() for line in table if line.split()[4] == str(directory))
    kind, shown = line[line.index("-") + 1:][:2]
    assert (kind, shown.replace("\\134", "\\")) == ("fuse.cgroupfs", source)
    mounting.unmount(directory)
    assert not mounts_on(directory)
