# SPDX-License-Identifier: MIT
"""Unmodified programs under fuse_cgroup_run, which catches calls by ptrace in gVisor."""

import os
import pathlib
import stat
import subprocess

import pytest

import bundle
import forks
import launcher
import mounting
import probes
from launcher import AT, HIERARCHIES, Inside, launch, shell

NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


def test_filesystem_types():
    assert shell(f"stat -f -c %T {AT} {AT}/cpu {AT}/memory").split() == ["tmpfs", "cgroupfs", "cgroupfs"]
    assert shell(f"stat -f -c %T {AT}", options=["--v2"]) == "cgroup2fs\n"


def test_tables():
    out = shell("grep -c ' - cgroup ' /proc/self/mountinfo; grep -c '^cgroup ' /proc/mounts; "
                "wc -l </proc/self/cgroup; grep -c . /proc/cgroups")
    count = len(HIERARCHIES)
    assert out.split()[:3] == [str(count)] * 3 and int(out.split()[3]) > 10


def test_members():
    out = shell(f"""cd {AT}/memory; mkdir a a/b; echo $$ > a/b/cgroup.procs; grep :memory: /proc/self/cgroup
        cat /proc/$$/cgroup | grep :cpu:; grep -cx $$ a/b/cgroup.procs
        rmdir a/b 2>/dev/null || echo busy; echo $$ > cgroup.procs; rmdir a/b a
        ls -d a 2>/dev/null || echo gone""")
    assert out.split()[0].endswith(":memory:/a/b") and out.split()[1].endswith(":cpu:/")
    assert out.split()[2:] == ["1", "busy", "gone"]


def test_threads():
    """Of the first thread and of others, each asked by itself and by the other, with signals all the
    while."""
    script = """import os, threading, signal
signal.signal(signal.SIGURG, lambda *_: None)
def look():
    for _ in range(20):
        for path in ("/proc/thread-self/cgroup", "/proc/self/cgroup", f"/proc/{os.getpid()}/cgroup"):
            assert ":cpu:/\\n" in open(path).read(), path
        os.kill(os.getpid(), signal.SIGURG)
threads = [threading.Thread(target=look) for _ in range(4)]
for thread in threads: thread.start()
look()
for thread in threads: thread.join()
print("same")"""
    result = launch(launcher.PYTHON, "-c", script)
    assert (result.returncode, result.stdout, result.stderr) == (0, "same\n", "")


def test_pid_namespace():
    """
    The tables of a container with a /proc of its own: of the one who asks, of its threads, of another. In a
    session of its own: with the namespace its group is orphaned, and gVisor would send ours SIGHUP later.
    """
    look = """sleep 30 & grep -ho :memory:.* /proc/self/cgroup /proc/thread-self/cgroup /proc/$$/cgroup \\
        /proc/$$/task/$$/cgroup /proc/$!/cgroup
        grep -c ' - cgroup ' /proc/self/mountinfo; grep -c '^cgroup ' /proc/$!/mounts; kill $!"""
    out = shell(f"""mkdir {AT}/memory/box; echo $$ >{AT}/memory/box/cgroup.procs
        exec setsid --wait unshare --pid --fork --mount-proc sh -ec "$1" """, look)
    assert out.split() == [*[":memory:/box"] * 5, *[str(len(HIERARCHIES))] * 2]


def test_descriptor():
    """It has the lowest number, as it was opened, and leaves nothing beside it."""
    with Inside() as program:
        before = program.call(os.listdir, "/proc/self/fd")
        fd = program.call(os.open, "/proc/self/mountinfo", os.O_RDONLY)
        assert fd == program.call(os.dup, 0) - 1
        assert len(program.call(os.listdir, "/proc/self/fd")) == len(before) + 2
        assert not program.call(os.get_inheritable, fd)
        with pytest.raises(OSError):
            program.call(os.write, fd, b"x")
        assert stat.S_ISREG(program.call(os.fstat, fd).st_mode)
        assert len(program.call(os.read, fd, 65536).splitlines()) > len(HIERARCHIES)


def test_statx():
    """Who asks for the type alone is told it."""
    result = launch(launcher.PYTHON, "-c", """import ctypes, struct
buffer = ctypes.create_string_buffer(256)
print(ctypes.CDLL(None).statx(-100, b"/sys/fs/cgroup/cpu", 0, 1, buffer),
      oct(struct.unpack_from("28xH", buffer)[0]))""")
    assert result.stdout == "0 0o40755\n" or result.stdout == "0 0o40555\n", result


@pytest.mark.parametrize("script", ["run-k3s-with-fuse-cgroups.sh", "run-kubelet-with-fuse-cgroups.sh"])
def test_scripts_begin(script):
    """They look at signals, of which gVisor's /proc tells nothing."""
    result = subprocess.run([mounting.ROOT / "scripts" / script, "--help"], text=True, capture_output=True,
                            timeout=mounting.PATIENCE, check=False)
    assert (result.returncode, result.stderr) == (0, "") and script in result.stdout


def test_ports_of_pods_are_left():
    """gVisor lets nobody write these sysctls, and runc starts no pod whose containerd wants them."""
    out = subprocess.run(["sh", "-c", '. "$0"; leave_ports', mounting.ROOT / "scripts/lib/containers.sh"],
                         text=True, stdout=subprocess.PIPE, check=True).stdout
    assert out == "enable_unprivileged_ports = false\nenable_unprivileged_icmp = false\n"


def test_mount():
    """With the attributes that are wanted, by who has the rights."""
    with mounting.mount_point() as path:
        mount = f"mount -t cgroup -o nosuid,cpu none {path}"
        out = shell(f"""
            unshare -m sh -ec '{mount}; stat -f -c %T {path}; ls {path}/cpu.shares'
            {mount} -o ro; grep ' {path} ' /proc/self/mountinfo | cut -d' ' -f4,6
            mount -o remount,rw {path}; mkdir {path}/made; ls -d {AT}/cpu/made; rmdir {path}/made
            umount {path}
            unshare -Ur {mount} 2>/dev/null || echo refused
            unshare -Urm {mount} 2>/dev/null || echo refused""")
    assert out.splitlines() == ["cgroupfs", f"{path}/cpu.shares", "/ ro,nosuid", f"{AT}/cpu/made",
                                "refused", "refused"]


def test_limits():
    out = shell(f"cat {AT}/memory/memory.limit_in_bytes {AT}/cpu/cpu.cfs_quota_us /proc/self/cpuset",
                options=["-m", "64m", "--cpus", "0.5"])
    assert out.split() == ["67108864", "50000", "/"]


def test_ordinary_user():
    """By way of a user namespace."""
    with launcher.temporary() as directory:
        out = shell(f"stat -f -c %T {AT}/cpu; mkdir {AT}/cpu/mine; echo $$ > {AT}/cpu/mine/cgroup.procs; "
                    "grep -c :cpu:/mine /proc/self/cgroup", wrapper=NOBODY,
                    env=launcher.environment(directory))
    assert out.split() == ["cgroupfs", "1"]


def test_owners_in_a_user_namespace():
    """FUSE tells owners as the sandbox' first user namespace knows them; the daemon's is another."""
    with mounting.mount_point() as path:
        path.chmod(0o777)
        script = """set -e; "$1" "$2"; cd "$2/cpu"; mkdir x; stat -c %u:%g . x tasks x/tasks
            echo $$ >x/tasks; cat x/tasks >/dev/null; chown 0:0 x; cd /; umount "$2" """
        result = subprocess.run([*NOBODY, "unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                                 script, "sh",
                                 mounting.BINARY, path], text=True, capture_output=True, timeout=60,
                                 check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "0:0\n" * 4, "")


def test_rights_of_another(tmp_path):
    """A caught call has no more rights than its caller: what is led to a root's tree is root's."""
    with mounting.mount_point() as path:
        daemon = mounting.Daemon(path)
        result = launch("sh", "-c", f"{' '.join(NOBODY)} mkdir {AT}/cpu/evil; mkdir {AT}/cpu/good",
                        options=["--redirect", "--root", path])
        assert "Permission denied" in result.stderr and result.returncode == 0, result
        assert not (path / "cpu" / "evil").exists() and (path / "cpu" / "good").exists()
        (path / "cpu" / "good").rmdir()
        assert daemon.stop() == (0, "")


def test_storm_of_signals(tmp_path):
    """What gVisor interrupts after it was done looks neither interrupted nor done twice: storm.c."""
    subprocess.run([os.environ.get("CC", "gcc"), "-D_GNU_SOURCE", "-pthread", "-o", tmp_path / "storm",
                    pathlib.Path(__file__).with_name("storm.c")], check=True)
    result = launch(tmp_path / "storm", f"{AT}/cpu", "2", options=["--v1"])
    assert result.returncode == 0, result
    assert result.stdout.count("\n") == 1, result


def test_mounts_in_a_storm():
    """Runc's first process binds a pod's cgroups while Go sends its threads signals."""
    script = """import ctypes, os, signal, sys, threading, time
libc, me, going = ctypes.CDLL(None, use_errno=True), threading.get_ident(), True
signal.signal(signal.SIGUSR1, lambda *_: None)
def storm():
    while going:
        signal.pthread_kill(me, signal.SIGUSR1)
        time.sleep(0.0003)
def error(function, *arguments):
    return os.strerror(ctypes.get_errno()) if function(*arguments) < 0 else ""
source, target = map(os.fsencode, sys.argv[1:])
threading.Thread(target=storm).start()
for _ in range(8):
    print(error(libc.mount, source, target, None, 0x1000, None), error(libc.umount2, target, 2),
          error(libc.syscall, 428, -100, source, 0x80001))  # open_tree(2), a clone
going = False"""
    with mounting.mount_point() as path:
        out = shell(f'mkdir -p {AT}/cpu/a/b; exec "$1" -c "$2" {AT}/cpu/a/b {path}', launcher.PYTHON, script,
                    options=["--v1"])
    assert out.split() == []


def test_stop_and_go_on():
    with Inside() as program:
        script = "sleep 60 & kill -STOP $!; sleep 0.2; cut -d' ' -f3 /proc/$!/stat; kill -CONT $!; " \
                 "sleep 0.2; " \
                 "cut -d' ' -f3 /proc/$!/stat; kill $!; wait $! 2>/dev/null; echo $?"
        status, out, said = program.call(probes.run, "sh", "-c", script)
        assert (status, said) == (0, "") and out.split()[0] in launcher.STOPPED
        assert out.split()[1:] == ["S", "143"]


def test_no_second_tracer():
    """Refused, and said so in a line."""
    result = launch(launcher.PYTHON, "-c", "import ctypes; print(ctypes.CDLL(None).ptrace(0, 0, 0, 0))")
    assert (result.returncode, result.stdout) == (0, "-1\n")
    assert result.stderr.count("\n") == 1 and "refused (EPERM)" in result.stderr


@pytest.fixture(params=[("runc", "mount", "pid"), ("crun", "mount")], ids=["runc", "crun"])
def container(request, tmp_path):
    """A runtime and its bundle."""
    runtime, *namespaces = request.param
    bundle.make(tmp_path, runtime, *namespaces)
    return runtime, tmp_path


def test_container(container):
    """Run, another program started in it, paused, deleted; its limit and its members are the tree's."""
    runtime, directory = container
    out = shell(f"""cd "$1"; {runtime} run -d box >out 2>&1 </dev/null || cat out
        cat {AT}/memory/box/memory.limit_in_bytes
        pid=$(cat {AT}/memory/box/cgroup.procs); cat /proc/$pid/comm; {runtime} ps box | grep -cw "$pid"
        {runtime} exec box /bin/busybox sh -c 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo inside'
        [ "$(cat {AT}/cpuacct/box/cpuacct.usage)" -ge 20000000 ] && echo time || true
        [ "$(cat {AT}/memory/box/memory.usage_in_bytes)" -ge 100000 ] && echo memory || true
        {runtime} pause box; cat {AT}/freezer/box/freezer.state; {runtime} resume box
        {runtime} delete -f box; ls -d {AT}/memory/box 2>/dev/null || echo gone""", directory)
    assert out.split() == [str(64 << 20), "busybox", "1", "inside", "time", "memory", "FROZEN", "gone"]


def test_short_lives():
    """What short processes use is counted though nobody looks until all have ended."""
    with Inside("--v1") as program:
        status, shown, used = program.call(forks.many, 60)
    assert status == 0
    assert shown == pytest.approx(used, rel=0.02, abs=0.02)  # two ticks: what the shell had used before
