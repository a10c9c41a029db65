# SPDX-License-Identifier: MIT
"""Who outlives whom: descendants, and the killing of the launcher, the supervisor and the daemon."""

import contextlib
import os
import select
import shutil
import signal
import subprocess

import pytest

import launcher
import mounting
import probes
from launcher import AT, Inside, PYTHON, children, environment, launch, supervisor_of
from mounting import wait_until
from processes import error_of


def daemon_of(program):
    daemons = launcher.daemons_in(program.directory)
    assert len(daemons) == 1
    return daemons[0]


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


# --- in order ---

def test_nothing_is_left():
    with Inside() as program:
        program.call(os.getpid)
        supervisor, daemon = supervisor_of(program.pid), daemon_of(program)
    assert is_gone(supervisor) and is_gone(daemon)
    assert not os.path.exists(program.directory)


def test_supervisor_stopped():
    """Caught calls wait for it, and nothing is lost."""
    with launcher.temporary() as directory:
        with subprocess.Popen(launcher.command_line("sh", "-c", "echo ready; read go; cat /proc/self/cgroup"),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                              env=environment(directory)) as process:
            assert process.stdout.read(6) == b"ready\n"
            supervisor = supervisor_of(process.pid)
            os.kill(supervisor, signal.SIGSTOP)
            process.stdin.write(b"\n")
            assert select.select([process.stdout], [], [], 0.3)[0] == []
            assert process.poll() is None
            os.kill(supervisor, signal.SIGCONT)
            out, _ = process.communicate(timeout=launcher.PATIENCE)
    assert process.returncode == 0 and out.endswith(b":/\n")


def test_mounts_are_not_seen_outside():
    """Nothing of the private namespace comes out, not even where mounts are shared."""
    script = "mount --make-rshared /; \"$@\" & wait; grep -c fuse_cgroup_run /proc/self/mountinfo"
    result = launch("sh", "-c", "mount -t tmpfs inner /mnt; grep -c ' /mnt ' /proc/self/mountinfo",
                    wrapper=["unshare", "-m", "sh", "-c", script, "sh"])
    assert result.stdout.split() == ["1", "0"]
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        assert [line for line in file if "fuse_cgroup_run" in line] == []


def test_mounts_outside_are_seen_inside():
    """A disk that is mounted while the command runs."""
    with launcher.temporary() as place:
        point = place / "disk"
        point.mkdir()
        script = f"mount --make-rshared /; mkfifo {place}/go {place}/done; " \
            f"(read x < {place}/go; mount -t tmpfs later {point}; echo > {place}/done) & exec \"$@\""
        result = launch("sh", "-c", f"echo > {place}/go; read x < {place}/done; "
                        f"grep -c ' {point} ' /proc/self/mountinfo",
                        wrapper=["unshare", "-m", "sh", "-c", script, "sh"])
        for name in ("go", "done"):
            (place / name).unlink()
        point.rmdir()
    assert (result.returncode, result.stdout) == (0, "1\n")


def test_private_mounts_stay_private():
    """Though others are shared."""
    script = "mount -t tmpfs other /mnt; mount --make-shared /mnt; exec \"$@\""
    result = launch("awk", "$5 == \"/\" { print $7 }", "/proc/self/mountinfo",
                    wrapper=["unshare", "-m", "--propagation", "private", "sh", "-ec", script, "sh"])
    assert (result.returncode, result.stdout) == (0, "-\n")


OUTLIVE = f"""
exec 3<"$1" </dev/null >/dev/null 2>&1
read line <&3
until ls {AT}/* >/dev/null 2>&1 && ! grep -q fuse_cgroup_run /proc/self/mountinfo; do sleep 0.05; done
{{ stat -f -c %T {AT} {AT}/cpu
  grep :cpu: /proc/self/cgroup
  grep -c ' - cgroup cgroup ' /proc/self/mountinfo
  mkdir {AT}/cpu/late && rmdir {AT}/cpu/late && echo made
  ls -d /proc/$2 2>&1 | grep -c cannot
}} > "$3" 2>&1
"""


@pytest.mark.parametrize("how", ["", "setsid "], ids=["orphan", "daemon"])
def test_descendants_outlive_the_command(how):
    """They see the tree as before; with the last one everything is gone."""
    with launcher.temporary() as directory, launcher.temporary() as place:
        fifo, out = place / "fifo", place / "out"
        os.mkfifo(fifo)
        command = f"{how}sh -c \"$1\" sh \"$2\" $PPID \"$3\" >/dev/null 2>&1 & exit 7"
        result = subprocess.run(launcher.command_line("sh", "-c", command, "sh", OUTLIVE, fifo, out),
                                text=True, capture_output=True, timeout=mounting.PATIENCE, check=False,
                                env=environment(directory))
        assert (result.returncode, result.stdout, result.stderr) == (7, "", "")
        assert len(launcher.daemons_in(directory)) == 1
        fifo.write_text("go\n", encoding="ascii")
        assert wait_until(lambda: not os.listdir(directory)), "the daemon's directory stays"
        assert launcher.daemons_in(directory) == []
        assert out.read_text().split() == ["tmpfs", "cgroupfs", "2:cpu:/", "13", "made", "1"]
        fifo.unlink()
        out.unlink()


def test_limits_outlive_the_command():
    with launcher.temporary() as directory, launcher.temporary() as place:
        fifo, out = place / "fifo", place / "out"
        os.mkfifo(fifo)
        script = f"exec 3<\"$1\"; read x <&3; cat {AT}/memory/memory.limit_in_bytes /proc/self/cpuset > " \
                 "\"$2\""
        command = "sh -c \"$1\" sh \"$2\" \"$3\" >/dev/null 2>&1 </dev/null &"
        subprocess.run(launcher.command_line("sh", "-c", command, "sh", script, fifo, out,
                                             options=["-m", "64m"]),
                       check=True, timeout=mounting.PATIENCE, env=environment(directory))
        fifo.write_text("go\n", encoding="ascii")
        assert wait_until(lambda: not os.listdir(directory))
        assert out.read_text() == "67108864\n/\n"
        fifo.unlink()
        out.unlink()


# --- the launcher killed ---

def test_launcher_killed():
    """The command goes on, and is served to its end."""
    with contextlib.ExitStack() as stack:
        program = Inside()
        pid = program.call(os.getpid)
        supervisor, daemon = supervisor_of(program.pid), daemon_of(program)
        program.process.kill()
        program.process.wait()
        assert program.call(os.getpid) == pid
        assert program.call(probes.statfs, f"{AT}/cpu")["type"] == probes.CGROUP
        assert "2:cpu:/\n" in program.call(probes.read, "/proc/self/cgroup")
        assert not is_gone(supervisor) and not is_gone(daemon)
        stack.callback(program.close, -signal.SIGKILL)
    assert wait_until(lambda: is_gone(supervisor) and is_gone(daemon))


# --- the supervisor killed ---

KILLED = "fuse_cgroup_run: its supervisor was killed: what the command asks would not be answered, " \
    "so it is killed too\n"


def take_away_state(program):
    """What a killed supervisor leaves: its daemon's directory, with nothing mounted."""
    left, = program.directory.iterdir()
    assert sorted(os.listdir(left)) == ["mount", "state"] and not os.listdir(left / "mount")
    shutil.rmtree(left)


def test_supervisor_killed():
    """The command cannot be served: it is killed, and that is said in a line."""
    program = Inside()
    pid = program.call(os.getpid)
    supervisor, daemon = supervisor_of(program.pid), daemon_of(program)
    os.kill(supervisor, signal.SIGKILL)
    program.process.wait(mounting.PATIENCE)
    assert is_gone(pid) and wait_until(lambda: is_gone(daemon))
    take_away_state(program)
    program.close(-signal.SIGKILL, KILLED)


def test_supervisor_killed_with_descendants():
    """Children too; who has left the family gets ENOSYS, as the kernel answers without a supervisor."""
    program = Inside()
    child, orphan = program.call(start_family, str(program.directory))
    daemon = daemon_of(program)
    os.kill(supervisor_of(program.pid), signal.SIGKILL)
    program.process.wait(mounting.PATIENCE)
    assert wait_until(lambda: is_gone(child))
    assert not is_gone(orphan)
    os.kill(orphan, signal.SIGUSR1)
    out = program.directory / "orphan"
    assert wait_until(lambda: out.exists() and out.read_text()), "it hangs"
    assert out.read_text() == "ENOSYS\n"
    out.unlink()
    assert wait_until(lambda: is_gone(orphan) and is_gone(daemon))
    take_away_state(program)
    program.close(-signal.SIGKILL, KILLED)


ORPHAN = """
import errno, os, signal, sys
if os.fork():
    os._exit(0)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.setsid()
out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
print(os.getpid(), flush=True)
os.close(0), os.close(1), os.close(2)
signal.sigwait([signal.SIGUSR1])
try:
    os.statvfs(sys.argv[2])
    text = "answered"
except OSError as error:
    text = errno.errorcode[error.errno]
os.write(out, f"{text}\\n".encode())
os._exit(0)
"""


def start_family(directory):
    """A child that sleeps, and an orphan that asks the supervisor when it gets SIGUSR1."""
    child = subprocess.Popen(["sleep", "1000"]).pid
    result = subprocess.run([PYTHON, "-c", ORPHAN, f"{directory}/orphan", f"{AT}/cpu"], text=True,
                            stdout=subprocess.PIPE, check=True)
    return child, int(result.stdout)


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP"])
def test_supervisor_asked_to_end(name):
    """As by a shutdown: it stays until the last process has ended."""
    with Inside() as program:
        program.call(os.getpid)
        supervisor = supervisor_of(program.pid)
        os.kill(supervisor, getattr(signal, f"SIG{name}"))
        for _ in range(3):
            assert program.call(probes.statfs, f"{AT}/cpu")["type"] == probes.CGROUP
        assert "2:cpu:/\n" in program.call(probes.read, "/proc/self/cgroup")
        assert not is_gone(supervisor)


# --- the daemon killed ---

SAID = "fuse_cgroup_run: its daemon has ended: starting another\n"


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


HIERARCHIES = tuple(f"{AT}/{name}" for name in launcher.HIERARCHIES)


def is_whole(places):
    """Whether every hierarchy is mounted again, and the new mount itself is out of sight."""
    return not any(error_of(os.listdir, place) for place in places) and \
        "fuse_cgroup_run" not in probes.read("/proc/self/mountinfo")


def kill_daemon(program, number=signal.SIGKILL, places=HIERARCHIES):
    """Kills it, and waits until another serves."""
    daemon = daemon_of(program)
    os.kill(daemon, number)
    assert wait_until(lambda: is_gone(daemon))
    assert wait_until(lambda: program.call(is_whole, places)), "the tree is not back"
    assert wait_until(lambda: len(launcher.daemons_in(program.directory)) == 1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_daemon_killed(number):
    """Another goes on with its state: cgroups, values, members."""
    program = Inside()
    pid = program.call(os.getpid)
    program.call(os.mkdir, f"{AT}/memory/child")
    program.call(write, f"{AT}/memory/child/memory.limit_in_bytes", "64M")
    program.call(write, f"{AT}/memory/child/cgroup.procs", str(pid))
    kill_daemon(program, number)
    assert program.call(probes.read, f"{AT}/memory/child/memory.limit_in_bytes") == f"{64 << 20}\n"
    assert program.call(probes.read, f"{AT}/memory/child/cgroup.procs") == f"{pid}\n"
    assert "8:memory:/child\n" in program.call(probes.read, "/proc/self/cgroup")
    assert program.call(probes.statfs, f"{AT}/cpu")["type"] == probes.CGROUP
    assert program.call(probes.statfs, AT)["type"] == probes.TMPFS
    mounts = probes.mounts(program.call(probes.read, "/proc/self/mountinfo"))
    assert sum(mount[0] == "cgroup" for mount in mounts.values()) == 13
    assert not [point for point in mounts if "fuse_cgroup_run" in point]
    program.call(write, f"{AT}/memory/cgroup.procs", str(pid))
    program.call(os.rmdir, f"{AT}/memory/child")
    program.close(0, SAID)


def trees_of(text):
    """The options of the trees' mounts in a mountinfo, by where they are."""
    return {line.split()[4]: line.split()[5] for line in text.splitlines() if " - cgroup" in line}


@pytest.mark.parametrize("version, places, read_only", [
    ("--v1", HIERARCHIES, f"{AT}/pids"), ("--v2", (AT,), AT)])
def test_mounts_of_a_container_when_the_daemon_is_killed(version, places, read_only):
    """Who gets what is mounted in the command's namespace gets the new trees, with the options of the old."""
    program = Inside(version)
    status, out, said = program.call(probes.run, "sh", "-ec", f"""mount --make-rshared /
        mount -o remount,ro {read_only}
        unshare -m --propagation slave sleep 1000 >/dev/null 2>&1 & echo $!""")
    assert (status, said) == (0, "")
    assert wait_until(lambda: probes.read(f"/proc/{int(out)}/comm") == "sleep\n")
    try:
        kill_daemon(program, places=places)
        container = trees_of(program.call(probes.read, f"/proc/{int(out)}/mountinfo"))
    finally:
        os.kill(int(out), signal.SIGKILL)
    own = trees_of(program.call(probes.read, "/proc/self/mountinfo"))
    assert sorted(own) == sorted(places) and own[read_only].startswith("ro,")
    assert all("nosuid,nodev,noexec,relatime" in options for options in own.values())
    assert container == own
    program.close(0, SAID)


def test_daemon_killed_with_limits():
    program = Inside("--memory", "64m")
    pid = program.call(os.getpid)
    kill_daemon(program)
    assert program.call(probes.read, f"{AT}/memory/memory.limit_in_bytes") == f"{64 << 20}\n"
    assert program.call(probes.read, f"{AT}/memory/cgroup.procs") == f"{pid}\n"
    assert "8:memory:/\n" in program.call(probes.read, "/proc/self/cgroup")
    program.close(0, SAID)


def test_what_was_open_then():
    """Files and directories of the dead daemon: ENOTCONN, as of any FUSE mount; opened anew they work."""
    program = Inside()
    fd = program.call(os.open, f"{AT}/cpu/cpu.shares", os.O_RDONLY)
    directory = program.call(os.open, f"{AT}/cpu", os.O_RDONLY)
    kill_daemon(program)
    assert error_of(program.call, os.pread, fd, 100, 0) == "ENOTCONN"
    assert error_of(program.call, os.listdir, directory) == "ENOTCONN"
    assert program.call(probes.read, f"{AT}/cpu/cpu.shares") == "1024\n"
    program.close(0, SAID)


def sleeper(path):
    """A process of this cgroup that sleeps."""
    pid = os.posix_spawn("/bin/sleep", ["sleep", "1000"], {})
    write(f"{path}/cgroup.procs", str(pid))
    return pid


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_daemon_killed_again_and_again():
    """Nobody becomes a member by it, nor is stopped as the members of what is frozen."""
    program = Inside()
    program.call(os.setsid)  # as whom an orphan's session would be
    program.call(os.mkdir, f"{AT}/freezer/child")
    pid = program.call(sleeper, f"{AT}/freezer/child")
    program.call(write, f"{AT}/freezer/child/freezer.state", "FROZEN")
    for _ in range(4):
        kill_daemon(program)
        assert program.call(probes.read, f"{AT}/freezer/child/cgroup.procs") == f"{pid}\n"
        assert program.call(probes.read, f"{AT}/freezer/child/freezer.state") == "FROZEN\n"
        assert program.call(probes.statfs, f"{AT}/cpu")["type"] == probes.CGROUP
    program.call(end, pid)
    program.close(0, 4 * SAID)


def test_daemon_killed_after_the_command():
    """With descendants only: nobody is told, they go on."""
    with launcher.temporary() as directory, launcher.temporary() as place:
        fifo, out = place / "fifo", place / "out"
        os.mkfifo(fifo)
        command = "sh -c \"$1\" sh \"$2\" 1 \"$3\" >/dev/null 2>&1 </dev/null &"
        subprocess.run(launcher.command_line("sh", "-c", command, "sh", OUTLIVE, fifo, out), check=True,
                       timeout=mounting.PATIENCE, env=environment(directory))
        daemon = launcher.daemons_in(directory)
        os.kill(daemon[0], signal.SIGKILL)
        assert wait_until(lambda: launcher.daemons_in(directory) not in ([], daemon))
        fifo.write_text("go\n", encoding="ascii")
        assert wait_until(lambda: not os.listdir(directory))
        assert out.read_text().split()[:5] == ["tmpfs", "cgroupfs", "2:cpu:/", "13", "made"]
        fifo.unlink()
        out.unlink()


def test_root_mount_gone(start):
    """--root's daemon is not ours to start anew: what is asked of it fails as of any dead mount."""
    daemon = start()
    with Inside("--root", daemon.path) as program:
        program.call(os.getpid)
        os.kill(daemon.pid, signal.SIGKILL)
        daemon.process.wait()
        assert error_of(program.call, os.listdir, f"{AT}/cpu") == "ENOTCONN"
        assert error_of(program.call, probes.read, "/proc/self/cgroup") == "ENOTCONN"
        assert program.call(probes.read, "/proc/version")
    subprocess.run(["umount", "-l", daemon.path], check=True)
