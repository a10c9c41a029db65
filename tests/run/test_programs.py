# SPDX-License-Identifier: MIT
"""Programs of every make: static ones, with filters of their own, with many threads, with FUSE."""

import os
import shutil
import subprocess

import pytest

import launcher
import mounting
from launcher import AT, launch, shell

SEEN = "1021994 27e0eb\n13\n2:cpu:/\n"


def check(*command, expected, **more):
    result = launch(*command, **more)
    assert (result.returncode, result.stdout, result.stderr) == (0, expected, "")


# --- no libc that could be preloaded ---

def test_dynamic(programs):
    check(programs("look"), expected=SEEN)


def test_static_glibc(programs):
    check(programs("look", "-static"), expected=SEEN)


def test_static_musl(programs):
    if not shutil.which("musl-gcc"):
        pytest.skip("needs musl-gcc of musl-tools")
    check(programs("look", "-static", compiler="musl-gcc"), expected=SEEN)


def test_static_go(tmp_path):
    if not shutil.which("go"):
        pytest.skip("needs Go")
    subprocess.run(["go", "build", "-o", tmp_path / "look", launcher.HERE / "programs" / "look.go"],
                   check=True, cwd="/", env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod",
                                             "GOTOOLCHAIN": "local", "GO111MODULE": "off"})
    check(tmp_path / "look", expected=SEEN)
    check(tmp_path / "look", expected=SEEN, options=["-m", "1g"])


# --- starting ---

@pytest.mark.parametrize("how", ["fork", "vfork", "posix_spawn", "clone3"])
def test_starting(programs, how):
    start = programs("start")
    check(start, how, "stat", "-f", "-c", "%T", f"{AT}/cpu", expected="cgroupfs\n")
    check(start, how, "grep", ":cpu:", "/proc/self/cgroup", expected="2:cpu:/\n")
    check(start, how, start, how, "grep", ":cpu:", "/proc/self/cgroup", expected="2:cpu:/\n")


def test_many_threads(programs):
    check(programs("threads", "-pthread"), expected="0\n")


def test_many_processes():
    script = f"""for i in $(seq 50); do
        stat -f -c %T {AT}/cpu & grep -c ' - cgroup cgroup ' /proc/self/mountinfo & done; wait"""
    assert sorted(shell(script).split()) == 50 * ["13"] + 50 * ["cgroupfs"]


# --- seccomp ---

def test_own_filter(programs):
    program = programs("own_filter")
    check(program, "look", expected="-1 cgroup\n")
    check(program, "errno", expected="-1 EXDEV\n")


def test_own_listener(programs):
    """Refused as the kernel refuses a second one, and said so; the program goes on."""
    result = launch(programs("own_filter"), "listener")
    assert (result.returncode, result.stdout) == (0, "EBUSY cgroup\n")
    assert result.stderr.count("\n") == 1
    assert "wants a seccomp listener of its own: refused (EBUSY)" in result.stderr


def test_no_program_fills_the_log(programs):
    """Refusals are told of, but nobody can have root's launcher say the same for ever."""
    result = launch("sh", "-c", f"for i in $(seq 40); do {programs('own_filter')} listener; done")
    assert (result.returncode, result.stdout) == (0, 40 * "EBUSY cgroup\n")
    said = result.stderr.splitlines()
    assert len(said) == 16 and "further ones are not told of" in said[-1]


# no_new_privs, and how many filters there are.
LOOK_AT_FILTERS = ("sed", "-n", "s/^NoNewPrivs:\t//p; s/^Seccomp_filters:\t//p", "/proc/self/status")


def filters_here():
    lines = subprocess.run(LOOK_AT_FILTERS, text=True, capture_output=True, check=True).stdout.split()
    return map(int, lines)


def test_one_filter():
    """As root the launcher's filter needs no no_new_privs."""
    no_new_privs, count = filters_here()
    check(*LOOK_AT_FILTERS, expected=f"{no_new_privs}\n{count + 1}\n")


def test_within_a_filter(programs):
    """A launcher that is itself under a filter that has no listener."""
    _, count = filters_here()
    check(*LOOK_AT_FILTERS, wrapper=[programs("own_filter"), "run"], expected=f"1\n{count + 2}\n")


# --- privilege ---

def test_setuid_helpers_work():
    """As root there is no no_new_privs: who gives up root can have it back of a setuid program."""
    out = shell("""
        cp /usr/bin/id "$TMPDIR/id"; chmod 4755 "$TMPDIR/id"
        setpriv --reuid 65534 --regid 65534 --clear-groups "$TMPDIR/id" -u
        setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs "$TMPDIR/id" -u
        rm "$TMPDIR/id" """)
    assert out.split() == ["0", "65534"]


def test_another_user():
    """Who has given up root, or cannot be traced, sees the same."""
    look = f"grep :cpu: /proc/self/cgroup; stat -f -c %T {AT}/cpu; grep -c ' - cgroup ' /proc/mounts || :"
    out = shell("setpriv --reuid 65534 --regid 65534 --clear-groups sh -ec \"$1\"", look)
    assert out == "2:cpu:/\ncgroupfs\n0\n"


def test_unreadable_program():
    """A process whose memory and files belong to root alone: not dumpable."""
    out = shell("""
        cp /usr/bin/stat "$TMPDIR/stat"; chmod 711 "$TMPDIR/stat"
        setpriv --reuid 65534 --regid 65534 --clear-groups "$TMPDIR/stat" -f -c %T /sys/fs/cgroup/cpu
        rm "$TMPDIR/stat" """)
    assert out == "cgroupfs\n"


def test_no_more_capabilities():
    names = "'^(Cap|Uid|Gid|Groups)'"
    native = subprocess.run(["sh", "-c", f"grep -E {names} /proc/self/status"], text=True,
                            capture_output=True, check=True).stdout
    assert shell(f"grep -E {names} /proc/self/status") == native


# --- FUSE filesystems of the users ---

def test_filesystem_of_a_caught_program(fuse_file):
    """Its server makes caught calls to answer the supervisor's and its clients' own."""
    out = shell("""
        mkdir "$TMPDIR/mount"
        "$1" "$TMPDIR/mount"
        cat "$TMPDIR/mount/hello"
        stat -f -c %l "$TMPDIR/mount" "$TMPDIR/mount/hello"
        cat "$TMPDIR/mount/cgroup"
        cd "$TMPDIR/mount"; stat -f -c %l . ../mount; cat cgroup; cd /
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
            stat -f -c %T "$TMPDIR/mount/hello" & cat "$TMPDIR/mount/cgroup" & done; wait
        fusermount3 -u "$TMPDIR/mount"; rmdir "$TMPDIR/mount"
        """, fuse_file)
    head, tail = out.split()[:7], out.split()[7:]
    assert head == ["hello", "77", "77", "hello", "77", "77", "hello"]
    # What GNU stat calls FUSE: until coreutils 9.1, and since.
    assert sorted(tail) in [sorted(16 * [name] + 16 * ["hello"]) for name in ("fuseblk", "fuse")]


def test_a_second_tree_inside():
    """A fuse_cgroupfs of the user's own under the launcher: it is a FUSE filesystem like others."""
    out = shell("""
        mkdir "$TMPDIR/mount"
        "$1" "$TMPDIR/mount"
        stat -f -c %t "$TMPDIR/mount" /sys/fs/cgroup/cpu
        mkdir "$TMPDIR/mount/cpu/inner"
        echo $$ > "$TMPDIR/mount/cpu/inner/cgroup.procs"
        grep :cpu: /proc/self/cgroup
        grep -c fuse.cgroupfs /proc/self/mountinfo
        echo $$ > "$TMPDIR/mount/cpu/cgroup.procs"
        rmdir "$TMPDIR/mount/cpu/inner"
        fusermount3 -u "$TMPDIR/mount"; rmdir "$TMPDIR/mount"
        """, mounting.BINARY)
    assert out.split()[:3] == ["65735546", "27e0eb", "2:cpu:/"]


# --- tracers ---

def test_strace():
    """Who traces sees what the program was answered."""
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    result = launch("strace", "-f", "-e", "trace=statfs", "stat", "-f", "-c", "%T", f"{AT}/cpu")
    assert (result.returncode, result.stdout) == (0, "cgroupfs\n")
    assert "f_type=CGROUP_SUPER_MAGIC" in result.stderr
