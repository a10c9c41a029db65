# SPDX-License-Identifier: MIT
"""The command is started as it would be without the launcher, and the launcher ends as it does."""

import contextlib
import os
import resource
import select
import signal
import subprocess

import pytest

import launcher
import mounting
from launcher import AT, PYTHON, complaint, launch, shell

PASSED_ON = ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH", "CONT", "ALRM", "PIPE", "PWR", "PROF",
             "XCPU", "XFSZ", "ABRT", "SEGV", "RTMIN", "RTMAX"]


# --- how it ends ---

@pytest.mark.parametrize("status", [0, 1, 2, 42, 99, 124, 125, 126, 127, 128, 130, 254, 255])
def test_exit_status(status):
    result = launch("sh", "-c", f"exit {status}")
    assert (result.returncode, result.stdout, result.stderr) == (status, "", "")


@pytest.mark.parametrize("name", ["TERM", "KILL", "INT", "HUP", "QUIT", "SEGV", "ABRT", "PIPE", "USR1",
                                  "ALRM", "SYS", "RTMIN"])
def test_ended_by_a_signal(name):
    code = f"import os, resource, signal; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); " \
        f"signal.signal(signal.SIG{name}, signal.SIG_DFL) if '{name}' != 'KILL' else 0; " \
        f"os.kill(os.getpid(), signal.SIG{name})"
    result = launch(PYTHON, "-c", code)
    assert (result.returncode, result.stderr) == (-getattr(signal, f"SIG{name}"), "")


def test_not_found():
    line = complaint(launch("/nowhere/at/all"), 127)
    assert "/nowhere/at/all" in line and "No such file" in line
    assert "no-such-command-anywhere" in complaint(launch("no-such-command-anywhere",
                                                          env={**os.environ, "PATH": "/usr/bin:/bin"}), 127)


def test_cannot_be_run():
    assert "/etc/passwd" in complaint(launch("/etc/passwd"), 126)
    assert "/tmp" in complaint(launch("/tmp"), 126)


# --- what it is given ---

def test_standard_streams():
    result = launch("sh", "-c", "cat; echo error >&2", input="from here\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, "from here\n", "error\n")


def test_much_data():
    data = os.urandom(1 << 20).hex()
    assert launch("cat", input=data).stdout == data


def test_closed_streams():
    assert launch("sh", "-c", "exec 3>&1; ls /proc/self/fd >&3", wrapper=[
        *launcher.WITHOUT_CGROUPS, "sh", "-c", "exec \"$@\" <&-", "sh"]).stdout.split()[0] in ("0", "1")


def native_and_launched(*command, **more):
    with launcher.temporary() as directory:
        env = launcher.environment(directory, **more.pop("extra", {}))
        found = [subprocess.run(line, text=True, capture_output=True, env=env, check=True, **more).stdout
                 for line in (command, launcher.command_line(*command, wrapper=()))]
    return found


def test_environment():
    native, launched = native_and_launched("env", "-0", extra={"SOME": "thing\nelse", "EMPTY": ""})
    assert sorted(launched.split("\0")) == sorted(native.split("\0"))


def test_arguments():
    assert shell("printf '<%s>' \"$@\"", "", "a b", "\n", "*", "--memory") == "<><a b><\n><*><--memory>"


@pytest.mark.parametrize("blocked, ignored", [
    ([], []), ([signal.SIGUSR1, signal.SIGCHLD, signal.SIGTERM], []), ([], [signal.SIGINT, signal.SIGHUP]),
    ([], [signal.SIGCHLD]), ([signal.SIGRTMIN], [signal.SIGPIPE, signal.SIGTSTP])])
def test_signals_it_starts_with(blocked, ignored):
    def prepare():
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    native, launched = native_and_launched("grep", "^Sig[BIC]", "/proc/self/status", preexec_fn=prepare)
    assert launched == native


def test_descriptors():
    """Those that are passed on, and none of the launcher's."""
    reader, writer = os.pipe()
    native, launched = native_and_launched("ls", "-l", "/proc/self/fd", pass_fds=(reader, writer))
    os.close(reader)
    os.close(writer)

    def numbers(text):
        return [line.split()[8] for line in text.splitlines()[1:]]

    assert numbers(launched) == numbers(native)
    assert str(reader) in numbers(launched)
    assert "seccomp" not in launched and "socket" not in launched


@pytest.mark.parametrize("fd, redirection", [(0, "</dev/null"), (1, ">/dev/null"), (9, "9>&-")])
def test_descriptors_are_the_commands(fd, redirection):
    """What the command closes is closed, though it and the launcher live: nobody waits for us."""
    ours, theirs = os.pipe() if fd else os.pipe()[::-1]
    with launcher.temporary() as directory, contextlib.ExitStack() as stack:
        os.mkfifo(directory / "go")
        process = stack.enter_context(subprocess.Popen(
            launcher.command_line("sh", "-c", f"exec {redirection}; read go < {directory}/go", wrapper=()),
            env=launcher.environment(directory), preexec_fn=lambda: os.dup2(theirs, fd),
            close_fds=False))
        os.close(theirs)
        poller = select.poll()
        poller.register(ours, select.POLLHUP)
        told = poller.poll(1000 * mounting.PATIENCE)
        alive = process.poll() is None
        (directory / "go").write_text("go\n")
        (directory / "go").unlink()
        os.close(ours)
        assert told and told[0][1] & (select.POLLHUP | select.POLLERR) and alive
        assert process.wait() == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_started_without_streams(closed):
    """No file of ours takes the place of one that was closed."""
    wrapper = [*launcher.WITHOUT_CGROUPS, "sh", "-c", f"exec 3>&1; exec \"$@\" {closed}", "sh"]
    script = f"grep -c ' - cgroup ' /proc/self/mountinfo >&3; stat -f -c %T {AT}/cpu >&3"
    assert launch("sh", "-c", script, wrapper=wrapper).stdout == "13\ncgroupfs\n"


def test_process():
    """Working directory, session, group, limits, mask, nice value."""
    script = "pwd; umask; ulimit -n; ulimit -c; nice; cut -d ' ' -f 5-7 /proc/self/stat; " \
        "grep -E '^(Groups|Uid|Gid|NoNewPrivs|Cpus_allowed|CapEff|CapBnd|CapAmb)' /proc/self/status"

    def prepare():
        os.umask(0o27)
        os.nice(3)
        os.setsid()
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))

    native, launched = native_and_launched("sh", "-c", script, preexec_fn=prepare, cwd="/var/lib")
    native, launched = native.splitlines(), launched.splitlines()
    assert launched[:5] == native[:5] and launched[6:] == native[6:]
    assert launched[0] == "/var/lib"


def test_group_and_session():
    with launcher.Inside() as program:
        assert program.call(os.getppid) == program.pid
        assert program.call(os.getpgrp) == os.getpgid(program.pid)
        assert program.call(os.getsid, 0) == os.getsid(program.pid)


@pytest.fixture
def place():
    """A place for the tree, with directories in it that it will hide."""
    with launcher.temporary() as directory:
        for name in ("place", "place/memory", "place/other"):
            (directory / name).mkdir()
        yield directory / "place"
        for name in ("place/other", "place/memory", "place"):
            (directory / name).rmdir()


@pytest.mark.parametrize("name, expected", [("", "tmpfs"), ("memory", "cgroupfs")])
def test_working_directory_in_the_tree(place, name, expected):
    """Not the directory that has been there before."""
    out = shell("pwd; stat -f -c %T .; ls -d cpu memory.usage_in_bytes 2>/dev/null || :",
                cwd=place / name, options=["--at", place])
    assert out.split() == [str(place / name), expected, "memory.usage_in_bytes" if name else "cpu"]


def test_working_directory_that_the_tree_has_not(place):
    line = complaint(launch("true", cwd=place / "other", options=["--at", place]))
    assert f"{place}/other" in line and "not in the tree" in line


@pytest.mark.parametrize("setting", ["umask 077", "ulimit -S -f 1", "ulimit -S -n 16"])
def test_what_the_caller_permits_is_the_commands(setting):
    """Who serves it needs more."""
    script = f"{setting}; exec \"$@\""
    out = shell("ulimit -S -f; umask; grep -c ' - cgroup ' /proc/self/mountinfo; "
                f"setpriv --reuid 65534 --clear-groups cat {AT}/pids/pids.max",
                options=["--pids-limit", "64"],
                wrapper=[*launcher.WITHOUT_CGROUPS, "bash", "-c", script, "sh"])
    blocks = "2" if "-f" in setting else "unlimited"  # of 512 bytes
    mask = "0077" if "umask" in setting else "0022"
    assert out.split() == [blocks, mask, str(len(launcher.HIERARCHIES)), "64"]


def test_no_large_file_may_be_written():
    """Who may not raise that is told so. (Thread sanitizer writes a small one.)"""
    line = complaint(launch("true", wrapper=["setpriv", "--bounding-set", "-sys_resource", "bash", "-c",
                                             'ulimit -f 1; exec "$@"', "sh"]))
    assert "ulimit -H -f" in line


# --- signals ---

@pytest.fixture
def catcher():
    """A command that tells of the signals it gets, each once."""
    with launcher.temporary() as directory:
        with subprocess.Popen(launcher.command_line(*launcher.TELL_SIGNALS, *PASSED_ON), text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=launcher.environment(directory), start_new_session=True) as process:
            assert process.stdout.readline() == "ready\n"
            yield process
            process.stdin.close()
            assert process.stdout.read() == "end\n"
            assert process.wait(mounting.PATIENCE) == 0


def test_signals_are_passed_on(catcher):
    for name in PASSED_ON:
        catcher.send_signal(getattr(signal, f"SIG{name}"))
        assert catcher.stdout.readline() == f"got {name}\n"


def test_ends_by_the_signal_that_it_passes_on():
    with launcher.Inside() as program:
        program.call(os.getpid)
        program.process.send_signal(signal.SIGTERM)
        program.process.wait(mounting.PATIENCE)
        program.close(-signal.SIGTERM)


@pytest.mark.parametrize("options", [("--v1",), ("--v1", "--memory", "512M"), ("--v2", "--memory", "512M")],
                         ids=["root", "v1", "v2"])
def test_stop_and_go_on(options):
    """SIGSTOP of the command alone does not stop the launcher for good; SIGCONT goes through, where the
    command's cgroup is not frozen too."""
    with launcher.Inside(*options) as program:
        pid = program.call(os.getpid)
        os.kill(pid, signal.SIGSTOP)
        assert mounting.wait_until(lambda: state(pid) in launcher.STOPPED)
        program.process.send_signal(signal.SIGCONT)
        assert mounting.wait_until(lambda: state(pid) not in launcher.STOPPED)
        assert program.call(os.getpid) == pid


def test_going_on_in_another_cgroup(mount):
    """The freezer lets the launcher go on, whose command it holds in another cgroup: that stays."""
    here, there = mount / "freezer" / "here", mount / "freezer" / "there"
    here.mkdir()
    there.mkdir()
    with launcher.Inside("--root", str(mount.path)) as program:
        pid, ours = program.call(os.getpid), program.process.pid
        (here / "cgroup.procs").write_text(str(ours))
        (there / "cgroup.procs").write_text(str(pid))
        for cgroup in (there, here):
            (cgroup / "freezer.state").write_text("FROZEN")
        assert mounting.wait_until(lambda: state(pid) in launcher.STOPPED and state(ours) == "T")
        (here / "freezer.state").write_text("THAWED")
        program.process.send_signal(signal.SIGIO)  # passed on after it, and pending as long as it is stopped
        assert mounting.wait_until(lambda: is_pending(pid, signal.SIGIO) or state(pid) == "Z")
        assert state(pid) in launcher.STOPPED
        (there / "freezer.state").write_text("THAWED")
        program.process.wait(mounting.PATIENCE)
        program.close(-signal.SIGIO)
    for cgroup in (here, there):
        assert mounting.wait_until(lambda: mounting.remove(cgroup))


def is_pending(pid, number):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        pending = next(line.split()[1] for line in file if line.startswith("ShdPnd:"))
    return int(pending, 16) >> number - 1 & 1


def state(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


# --- children ---

def test_children_of_the_command_are_its_own():
    """Orphans go to init, not to the launcher, and nothing of ours is among its children."""
    assert shell("children=$(ps -o comm= --ppid $$); echo $children") == "ps\n"


def test_many_short_children():
    assert shell("i=0; while [ $i -lt 300 ]; do (exit 3) || i=$((i+1)); done; echo $i") == "300\n"
