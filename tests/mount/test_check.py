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
PRIVATE_DEV = "mount -t tmpfs none /mnt; cp -a /dev/null /dev/fuse /mnt/; mount --move /mnt /dev"
WITHOUT_CGROUPS = "while mountpoint -q /sys/fs/cgroup; do umount -R /sys/fs/cgroup; done"
NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups"
AS_NOBODY = (f"{NEW_DEV}; mknod -m 666 /dev/fuse c 10 229; "
             f'mount -t tmpfs -o mode=1777 none /mnt; set -- {NOBODY} env TMPDIR=/mnt "$@"')
# Nobody in a root where no user namespace can be made (user_namespaces(7)), and fusermount3 is no program.
CHROOT = ('mount --rbind / /mnt; mount --bind /etc/passwd "/mnt$(command -v fusermount3)"; '
          f'set -- chroot /mnt {NOBODY} "$@"')


def serve(at):
    """A daemon that ends with the shell, and serves there from then on."""
    return (f"setpriv --pdeathsig TERM {mounting.BINARY} -f -o accounting=scan {at} >/dev/null 2>&1 & "
            f"until mountpoint -q {at}; do sleep 0.01; done")


def without(capabilities):
    return f'set -- setpriv --bounding-set={capabilities} "$@"'


# A name; a shell script that makes a place so, as root in a mount namespace of its own, before it runs the
# rest of its line; the report's status, and a line of it as a regular expression.
SAID = [
    ("all", ":", 0, "ok", "/proc is there"),
    ("may_mount", ":", 0, "ok", r"mounting is permitted \(CAP_SYS_ADMIN\)"),
    ("device", ":", 0, "ok", "/dev/fuse is there and can be opened"),
    ("can", ":", 0, "ok", "a tree can be mounted"),
    ("namespaces", ":", 0, "ok", "mount namespaces are there, for fuse_cgroup_run"),
    ("limit", ":", 0, "ok", "the tree takes a limit of 512M, in bytes: 536870912"),
    ("appended", ":", 0, "ok", "the tree takes a limit that is appended"),
    ("refused", ":", 0, "ok", "the tree refuses a limit that is none"),
    ("other_files", ":", 0, "ok", "the tree permits no other files"),
    ("makes", ":", 0, "ok", "the tree makes a cgroup"),
    ("removes", ":", 0, "ok", "the tree removes the cgroup"),
    ("member", ":", 0, "ok", "the tree has a process while it lives"),
    ("processors", ":", 0, "ok", r"the tree reads cpuacct.usage, ns: \d+"),
    ("memory", ":", 0, "ok", r"the tree reads memory.usage_in_bytes: \d+"),
    ("ends", ":", 0, "ok", "the daemon ends when told to, and unmounts"),
    ("mounted", serve("/mnt"), 0, "ok", r"trees of fuse_cgroupfs that are mounted: \d+"),
    ("own_cgroups", f"{WITHOUT_CGROUPS}; mount -t tmpfs none /mnt; mkdir /mnt/v1; "
     "mount -t cgroup -o none,name=fcg-check none /mnt/v1", 0, "ok",
     r"the machine has cgroups of its own \(mounts of v1: 1, of v2: 0\): ours are beside them"),
    ("log", f"{PRIVATE_DEV}; : >/dev/log", 0, "ok", "/dev/log takes the log of a daemon in the background"),
    ("no_log", PRIVATE_DEV, 0, "lacks",
     "/dev/log: a daemon in the background has nowhere to log to: give it -o log=FILE"),
    ("no_cgroups", WITHOUT_CGROUPS, 0, "lacks",
     "the machine has no cgroups: that is what fuse_cgroupfs is for"),
    ("no_ptrace", without("-sys_ptrace"), 0, "lacks",
     r"CAP_SYS_PTRACE: fuse_cgroup_run answers the calls of its own user's programs alone \(in a container: "
     r"--cap-add SYS_PTRACE\)"),
    ("no_device", f"{NEW_DEV}; mount -o remount,ro /dev", 1, "FAIL", "/dev/fuse: No such file.*"),
    ("another_device", f"{NEW_DEV}; mknod /dev/fuse c 1 3", 1, "FAIL", "/dev/fuse: is not the FUSE device.*"),
    ("nobody", AS_NOBODY, 0, "ok", "fusermount3 is there to mount for an ordinary user"),
    ("user_namespace", without("-sys_admin"), 0, "lacks",
     "CAP_SYS_ADMIN: mounting is permitted in a user namespace: `unshare -Urm sh` gives one, and "
     "fuse_cgroup_run has its own; what follows is looked at in such a one"),
    ("nobody_at_all", CHROOT, 1, "FAIL",
     "only root may mount here: run this as root, or install fuse3, which has fusermount3"),
    ("no_launcher", CHROOT, 1, "lacks",
     "user namespaces: fuse_cgroup_run can run here as root only, or once the sysctls "
     "kernel.unprivileged_userns_clone and user.max_user_namespaces permit them"),
    ("no_right", without("-sys_admin,-setfcap"), 1, "FAIL",
     r"mounting is not permitted: it needs CAP_SYS_ADMIN \(in a container: --cap-add SYS_ADMIN\), or "
     r"CAP_SETFCAP for a user namespace, or another user than root"),
    ("no_right_for_the_launcher", without("-sys_admin,-setfcap"), 1, "lacks",
     "CAP_SYS_ADMIN, and user namespaces of root's: fuse_cgroup_run needs the one, or CAP_SETFCAP, or "
     "another user than root"),
    ("no_tree", f"{AS_NOBODY}; cp /bin/false /mnt; "
     'mount --bind /mnt/false "$(command -v fusermount3)"', 1, "FAIL", "no tree can be mounted"),
    ("no_proc", "mount -t tmpfs none /proc", 1, "FAIL",
     r"there is no /proc: mount it first \(mount -t proc proc /proc\)"),
    ("no_directory", 'set -- env TMPDIR=/nowhere "$@"', 1, "FAIL",
     "/nowhere: no directory to mount on can be made: No such file or directory: choose another with TMPDIR"),
]


NATIVE = {"no_proc", "user_namespace"}


@pytest.mark.usefixtures("private_mounts")
@pytest.mark.parametrize("script, status, verdict, text", [
    pytest.param(*row[1:], id=row[0], marks=[pytest.mark.native] * (row[0] in NATIVE))
    for row in SAID])
def test_check_says(script, status, verdict, text):
    report = check(status=status, wrapper=[*PRIVATE, f'{script}; exec "$@"', "sh"])
    assert any(said[0] == verdict and re.fullmatch(text, said[1]) for said in report), report


@pytest.mark.native
@pytest.mark.usefixtures("private_mounts")  # in a plain chroot there are no user namespaces, too
def test_check_in_a_user_namespace():
    """Where that gives the right to mount the rest is looked at there."""
    report = check(status=0, wrapper=["setpriv", "--bounding-set=-sys_admin"])
    assert any(verdict == "lacks" and text.startswith("CAP_SYS_ADMIN: mounting") for verdict, text in report)
    assert ["ok", "the daemon ends when told to, and unmounts"] in report


@pytest.mark.usefixtures("private_mounts")
def test_device_is_made():
    """Where there is none, and who runs may make it; it is every user's then, whatever the umask."""
    script = "umask 077; \"$@\"; " \
             "test \"$(stat -c '%F %t:%T %a' /dev/fuse)\" = 'character special file a:e5 666'"
    report = check(status=0, wrapper=[*PRIVATE, f"{NEW_DEV}; {script}", "sh"])
    assert ["ok", "/dev/fuse is there and can be opened"] in report


@pytest.mark.usefixtures("private_mounts")
def test_device_is_not_left_where_it_cannot_be_opened():
    script = "mount -o remount,nodev /dev; \"$@\" || status=$?; test ! -e /dev/fuse; exit $status"
    report = check(status=1, wrapper=[*PRIVATE, f"{NEW_DEV}; {script}", "sh"])
    assert any(text.startswith("/dev/fuse: Permission denied: is its filesystem mounted with nodev?")
               for _, text in report), report


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
    assert not (web / "odd\x1b[31m").exists()
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
    assert any(line.startswith("libfuse: ") and "odd?[31m" in line for line in told)
    assert "\x1b" not in log.read_text(encoding="utf-8")


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
