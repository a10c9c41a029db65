# SPDX-License-Identifier: MIT
"""scripts/run-over-native.sh: gVisor's own cgroups with ours bound over each, and no launcher."""

import pathlib
import subprocess

import bundle
import mounting

SCRIPT = mounting.ROOT / "scripts/run-over-native.sh"
AT = pathlib.Path("/sys/fs/cgroup")


def start(script, *arguments):
    """A shell's script below it, from a directory that has to be as empty in the end."""
    return subprocess.Popen([SCRIPT, "sh", "-ec", script, "sh", *arguments], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(script, *arguments, status=0):
    before = list(AT.iterdir())
    with start(script, *arguments) as process:
        out, said = process.communicate("a line\n", timeout=mounting.PATIENCE)
    assert process.returncode == status, said
    assert list(AT.iterdir()) == before
    return out


def test_tables_and_members():
    """Lines of cgroup are real ones, and /proc/PID/cgroup is gVisor's; what is there besides is ours."""
    out = run(f"""echo $GODEBUG; cd {AT}; grep -c ' - cgroup ' /proc/self/mountinfo
        mkdir memory/a memory/a/b freezer/a; sleep 60 & echo $! >memory/a/b/cgroup.procs
        grep -c :memory:/a/b /proc/$!/cgroup; cat memory/a/b/cgroup.procs | grep -cx $!
        cat memory/a/b/memory.stat | grep -c '^total_rss '; cat freezer/a/freezer.state
        stat -f -c %T cpu; kill $!""")
    assert out.split() == ["asyncpreemptoff=1", "7", "1", "1", "1", "THAWED", "fuseblk"]


def test_end():
    """The command's status and signals are as without it."""
    assert run('read line; echo "$line"; exit 7', status=7) == "a line\n"
    with start("trap 'kill $!; echo ended; exit 3' TERM; sleep 60 & echo begun; wait") as process:
        assert process.stdout.readline() == "begun\n"
        process.terminate()
        out, _ = process.communicate(timeout=mounting.PATIENCE)
    assert (out, process.returncode) == ("ended\n", 3)
    assert subprocess.run([SCRIPT], capture_output=True, check=False).returncode == 1


def test_runc(tmp_path):
    """The container's process, which runc makes by CLONE_PARENT, is in its cgroups, in ours as well."""
    bundle.make(tmp_path, "runc", "mount", "pid")
    out = run(f"""cd "$1"; runc run -d box >out 2>&1 </dev/null || cat out
        pid=$(cat {AT}/memory/box/cgroup.procs); cat /proc/$pid/comm; runc ps box | grep -cw "$pid"
        runc exec box /bin/busybox cat /proc/self/cgroup | grep -c :memory:/box
        runc update --memory 32M box; cat {AT}/memory/box/memory.limit_in_bytes
        runc delete -f box; ls -d {AT}/memory/box 2>/dev/null || echo gone""", tmp_path)
    assert out.split() == ["busybox", "1", "1", str(32 << 20), "gone"]
