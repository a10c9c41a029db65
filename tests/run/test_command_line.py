# SPDX-License-Identifier: MIT
"""Options, and what is said when something cannot be done: one clear line, status 125."""

import os
import re
import subprocess

import pytest

import launcher
import mounting
import probes
from launcher import AT, RUN, complaint, launch, shell
from probes import CGROUP, TMPFS


def run(*arguments):
    return subprocess.run([RUN, *arguments], text=True, capture_output=True, check=False)


def test_help():
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: fuse_cgroup_run ")
    for word in ("--root", "--at", "--trace", "--memory", "--memory-swap", "--cpus", "--cpu-shares",
                 "--cpuset-cpus", "--pids-limit", "125", "126", "127"):
        assert word in result.stdout
    assert run("-h").stdout == result.stdout


def test_version():
    assert re.fullmatch(r"fuse_cgroup_run \d+\.\d+.*\n", run("--version").stdout)
    assert run("-V").stdout == run("--version").stdout


@pytest.mark.parametrize("arguments, word", [
    ([], "command"), (["--"], "command"), (["--at", "relative", "true"], "absolute")])
def test_wrong_lines(arguments, word):
    result = run(*arguments)
    assert result.returncode == launcher.OURS and result.stdout == ""
    assert word in complaint(result) and "--help" in result.stderr


def test_options_end_at_the_command():
    assert shell("echo \"$@\"", "--memory", "1g", "--") == "--memory 1g --\n"
    result = launch("echo", "-n", "x")
    assert (result.returncode, result.stdout) == (0, "x")


def test_no_separator():
    with launcher.temporary() as directory:
        result = subprocess.run([*launcher.WITHOUT_CGROUPS, RUN, "echo", "-e", "x"], text=True,
                                capture_output=True, env=launcher.environment(directory), check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "x\n", "")


# --- --at ---

def test_another_place():
    with launcher.temporary() as place:
        target = place / "here"
        target.mkdir()
        with launcher.Inside("--at", target) as program:
            mounts = probes.mounts(program.call(probes.read, "/proc/self/mountinfo"))
            assert mounts[str(target)][0] == "tmpfs"
            assert mounts[f"{target}/cpu"] == ("cgroup", "cgroup", "rw,cpu")
            assert program.call(probes.statfs, str(target))["type"] == TMPFS
            assert program.call(probes.statfs, f"{target}/cpu")["type"] == CGROUP
            assert AT not in mounts
            assert program.call(os.listdir, AT) == []
        assert os.listdir(target) == []
        target.rmdir()


@pytest.mark.parametrize("path, word", [("/nowhere", "/nowhere"), ("/etc/passwd", "/etc/passwd")])
def test_no_such_place(path, word):
    line = complaint(launch("true", options=["--at", path]))
    assert word in line and "--at" in line


def test_odd_names_of_places():
    """Escapes of the tables, a slash at the end, a link."""
    with launcher.temporary() as place:
        target = place / "a b"
        target.mkdir()
        (place / "link").symlink_to(target)
        for name in (target, f"{target}/", place / "link"):
            out = shell("grep -c ' - cgroup cgroup ' /proc/self/mountinfo; stat -f -c %T \"$1/cpu\"; "
                        "grep -c 'a.040b/cpu ' /proc/mounts", target, options=["--at", name])
            assert out.split() == ["13", "cgroupfs", "1"], name
        (place / "link").unlink()
        target.rmdir()


@pytest.mark.parametrize("name", [f"{AT}/", "//sys//fs/./cgroup/.", "/proc/self/root/sys/fs/cgroup"])
def test_other_names_of_the_place(name):
    """What the kernel has there is out of the tables by each of them."""
    script = f"grep -c ' {AT}[ /]' /proc/self/mountinfo"
    assert shell(script, options=["--at", name], wrapper=launcher.WITH_CGROUPS) == \
        shell(script, wrapper=launcher.WITH_CGROUPS) == f"{len(mounting.HIERARCHIES) + 1}\n"


def test_place_that_hides_the_daemon():
    with launcher.temporary() as directory:
        line = complaint(launch("true", options=["--at", directory.parent],
                                env=launcher.environment(directory),
                                cwd="/"))
        assert "--at" in line and "TMPDIR" in line and str(directory) in line


@pytest.mark.parametrize("name", ["/", "//", "relative", ""])
def test_not_a_place(name):
    line = complaint(launch("true", options=["--at", name]))
    assert "--at" in line and "--help" in line


# --- --root ---

def test_an_existing_mount(start):
    daemon = start()
    (daemon / "cpu" / "mine").mkdir()
    with launcher.Inside("--root", daemon.path) as program:
        assert "mine" in program.call(os.listdir, f"{AT}/cpu")
        program.call(os.mkdir, f"{AT}/cpu/mine/below")
        assert (daemon / "cpu" / "mine" / "below").is_dir()
        assert launcher.daemons_in(program.directory) == []
        pid = program.call(os.getpid)
        (daemon / "cpu" / "mine" / "cgroup.procs").write_text(str(pid))
        assert "2:cpu:/mine\n" in program.call(probes.read, "/proc/self/cgroup")
        (daemon / "cpu" / "cgroup.procs").write_text(str(pid))
    (daemon / "cpu" / "mine" / "below").rmdir()
    assert daemon.process.poll() is None


def test_an_existing_mount_in_its_own_place(start):
    daemon = start()
    os.mkdir(daemon / "cpu" / "a")
    out = shell("stat -f -c %T $1 $1/cpu $1/cpu/a; grep -c ' - cgroup ' /proc/self/mountinfo", daemon.path,
                options=["--root", daemon.path, "--at", daemon.path])
    assert out.split() == ["tmpfs", "cgroupfs", "cgroupfs", str(len(mounting.HIERARCHIES))]
    os.rmdir(daemon / "cpu" / "a")


def test_fewer_hierarchies(start):
    daemon = start("-o", "controllers=memory:cpu")
    out = shell(f"cat /proc/self/cgroup; ls {AT}; grep -c '{AT}/.* - cgroup ' /proc/self/mountinfo; "
                "cat /proc/self/cpuset", options=["--root", daemon.path])
    assert out.split() == ["2:cpu:/", "1:memory:/", "cpu", "memory", "2", "/"]


@pytest.mark.parametrize("path", ["/nowhere", "/tmp", "/proc", "/etc/passwd"])
def test_no_mount_of_ours(path):
    line = complaint(launch("true", options=["--root", path]))
    assert path in line
    if path in ("/tmp", "/proc"):
        assert "no mount of fuse_cgroupfs" in line


def test_another_fuse_filesystem(fuse_file):
    with mounting.mount_point() as path, subprocess.Popen([fuse_file, "-f", path]) as process:
        try:
            assert mounting.wait_until(lambda: mounting.is_serving(path))
            line = complaint(launch("true", options=["--root", path]))
        finally:
            process.terminate()
    assert "no mount of fuse_cgroupfs" in line


# --- --trace ---

def test_trace():
    result = launch("sh", "-c", f"stat -f -c %T {AT}/cpu; cat /proc/self/cgroup /etc/hostname | wc -l; :",
                    options=["--trace"])
    assert result.returncode == 0 and result.stdout.startswith("cgroupfs\n")
    lines = result.stderr.splitlines()
    assert all(re.fullmatch(r"fuse_cgroup_run: \d+ \w+\(.*\): .+", line) for line in lines)
    for call in (f"statfs({AT}/cpu): answered", "openat(/proc/self/cgroup): our file",
                 "openat(/etc/hostname): the kernel's"):
        assert any(line.endswith(call) for line in lines), call


def test_trace_of_odd_names():
    """A path is whatever a task says: no terminal may take it for more than text, and no line for two."""
    name = "/no\x1b]0;x\x07\n\x9b\u00e9"
    result = launch("sh", "-c", 'stat -f "$1" 2>/dev/null; :', "sh", name, options=["--trace"])
    assert "statfs(/no?]0;x??????): " in result.stderr
    assert result.stderr.isascii() and "\x1b" not in result.stderr


def test_compiler_is_not_asked(tmp_path):
    """The opens of headers, of which a build has tens of thousands, go by."""
    source = tmp_path / "empty.c"
    source.write_text("#include <stdio.h>\n", encoding="utf-8")
    result = launch("gcc", "-c", "-o", tmp_path / "empty.o", source, options=["--trace"])
    assert result.returncode == 0 and "open" in result.stderr
    assert "stdio.h" not in result.stderr


def test_no_trace():
    assert launch("stat", "-f", AT).stderr == ""


# --- where it cannot be ---

def test_no_fuse():
    script = "mount -t tmpfs tmpfs /dev; touch /dev/null; mount -o remount,ro /dev; exec \"$@\""
    line = complaint(launch("true", wrapper=["unshare", "-m", "sh", "-ec", script, "sh"]))
    assert "/dev/fuse" in line


def test_no_directory():
    script = "umount -R /sys; exec \"$@\""
    line = complaint(launch("true", wrapper=["unshare", "-m", "sh", "-ec", script, "sh"]))
    assert AT in line and "--at" in line


def test_no_daemon():
    with launcher.temporary() as place:
        subprocess.run(["cp", RUN, place / "fuse_cgroup_run"], check=True)
        result = subprocess.run([place / "fuse_cgroup_run", "/bin/true"], text=True, capture_output=True,
                                env=launcher.environment(place, PATH=str(place)), check=False)
        (place / "fuse_cgroup_run").unlink()
    assert "fuse_cgroupfs" in complaint(result) and "PATH" in result.stderr


def test_daemon_that_may_not_be_run():
    with launcher.temporary() as place:
        subprocess.run(["cp", RUN, mounting.BINARY, place], check=True)
        (place / "fuse_cgroupfs").chmod(0o600)
        result = subprocess.run([place / "fuse_cgroup_run", "/bin/true"], text=True, capture_output=True,
                                env=launcher.environment(place, PATH=str(place)), check=False)
        subprocess.run(["rm", place / "fuse_cgroup_run", place / "fuse_cgroupfs"], check=True)
    line = complaint(result)
    assert "fuse_cgroupfs" in line and "Permission denied" in line


@pytest.mark.parametrize("how", ["./fuse_cgroup_run", "/proc/self/fd/9/fuse_cgroup_run"])
def test_programs_in_a_mount_that_is_gone(how):
    """Their paths lead nowhere, the directory that they are called by does. One that is killed is followed
    by another."""
    script = f"""mount -t tmpfs programs /mnt; cp {RUN} {mounting.BINARY} /mnt; cd /mnt; exec 9</mnt
        umount -l /mnt; {how} -- sh -c 'stat -f -c %T {AT}/cpu
        child() {{ cut -d " " -f 1 /proc/$1/task/$1/children; }}
        kill -9 $(child $(child $(child $PPID)))
        until stat {AT}/cpu/tasks >/dev/null 2>&1; do sleep 0.05; done; echo again'"""
    with launcher.temporary() as directory:
        result = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-ec", script], text=True,
                                capture_output=True, env=launcher.environment(directory), check=False)
    assert (result.returncode, result.stdout) == (0, "cgroupfs\nagain\n"), result.stderr


def test_daemon_in_path():
    with launcher.temporary() as place:
        (place / "bin").mkdir()
        subprocess.run(["cp", RUN, place / "fuse_cgroup_run"], check=True)
        os.symlink(mounting.BINARY, place / "bin" / "fuse_cgroupfs")
        path = f"{place}/bin:{os.environ['PATH']}"
        result = subprocess.run([place / "fuse_cgroup_run", "stat", "-f", "-c", "%T", f"{AT}/cpu"],
                                text=True, capture_output=True, check=False,
                                env=launcher.environment(place, PATH=path))
        subprocess.run(["rm", "-r", place / "bin", place / "fuse_cgroup_run"], check=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "cgroupfs\n", "")


def test_long_name_of_the_temporary_directory():
    with launcher.temporary() as place:
        long = place / ("long-" * 40)
        long.mkdir()
        out = shell("ls \"$TMPDIR\"; stat -f -c %T \"$1/cpu\"", AT, env=launcher.environment(long))
        assert re.fullmatch(r"fuse_cgroup_run-\w{6}\ncgroupfs\n", out)
        long.rmdir()


@pytest.mark.parametrize("version", ["--v1", "--v2"])
def test_temporary_directory_of_an_odd_name(version):
    """What parts options for libfuse is a letter as others in a path."""
    with launcher.temporary() as place:
        odd = place / "a,b\\c\\,"
        odd.mkdir()
        out = shell(f"stat -f -c %T {AT}/$1", "" if version == "--v2" else "cpu", options=[version],
                    env=launcher.environment(odd))
        assert out == ("cgroup2fs\n" if version == "--v2" else "cgroupfs\n")
        odd.rmdir()


def test_few_descriptors():
    """However few there may be, it works or says in one line that there are too few."""
    for number in (6, 8, 10, 12, 14, 16) if not mounting.SANITIZED else (64,):  # that has files of its own
        result = launch("true", wrapper=["setpriv", "--bounding-set", "-sys_resource", "bash", "-c",
                                         f'ulimit -n {number}; exec "$@"', "sh"])
        if result.returncode or result.stderr:
            assert result.returncode == launcher.OURS
            assert mounting.SANITIZED or "raise the limit of open files (ulimit -n)" in complaint(result)


def test_little_memory():
    """The daemon's reason is the one line, and not the log that comes before it."""
    wrapper = ["bash", "-c", 'ulimit -v 12000; exec "$@"', "sh"]
    result = launch("true", wrapper=[] if mounting.SANITIZED else wrapper)  # which takes memory without end
    if result.returncode or result.stderr:
        assert "raise the limits of memory and of processes (ulimit -v, ulimit -u)" in complaint(result)


def test_proc_of_another_namespace():
    """The kernel's numbers of processes are not those of /proc: nothing could be answered."""
    line = complaint(launch("true", wrapper=["unshare", "--pid", "--fork"]))
    assert "/proc" in line and "pid namespace" in line
    assert launch("true", wrapper=["unshare", "--pid", "--fork", "--mount-proc"]).returncode == 0


def test_no_temporary_directory():
    line = complaint(launch("true", env={**os.environ, "TMPDIR": "/nowhere"}))
    assert "/nowhere" in line and "No such file" in line and "TMPDIR" in line


@pytest.mark.parametrize("options, reason", [
    ("nr_inodes=1", "No space left"), ("nr_inodes=4", "No space left"), ("size=4k", "No space left"),
    ("ro", "Read-only")])
def test_temporary_directory_that_takes_nothing(options, reason):
    """Full at once or when the daemon has made its first file: the reason in a line."""
    script = f"mount -t tmpfs -o {options} full /mnt; test {options} != size=4k || " \
        "head -c 4096 /dev/zero > /mnt/full; exec \"$@\""
    line = complaint(launch("true", env={**os.environ, "TMPDIR": "/mnt"}, wrapper=[
        "unshare", "-m", "--propagation", "private", "sh", "-ec", script, "sh"]))
    assert "/mnt" in line and reason in line


def test_temporary_directory_of_others():
    with launcher.temporary() as place:
        place.chmod(0o700)
        line = complaint(launch("true", env={**os.environ, "TMPDIR": str(place)}, wrapper=[
            "setpriv", "--reuid", "12345", "--clear-groups", "sh", "-c", 'exec "$@"', "sh"]))
    assert str(place) in line and "Permission denied" in line


@pytest.mark.parametrize("options", [[], ["--backend=trace"]], ids=["notify", "trace"])
def test_within_itself(options):
    """
    The kernel permits one listener: the outer one says so, and the inner one what that means. It asks that
    before it asks a tracer.
    """
    result = launch(RUN, *options, "--", "true")
    assert (result.returncode, result.stdout) == (launcher.OURS, "")
    outer, inner = result.stderr.splitlines()
    assert "wants a seccomp listener of its own: refused" in outer
    assert "another seccomp listener is at work here already (fuse_cgroup_run within" in inner
