# SPDX-License-Identifier: MIT
"""A process below the launcher that hangs in exec: who reads its tables does not wait for it."""

import os
import pathlib
import subprocess

import pytest

import launcher
import mounting

PROGRAMS = pathlib.Path(mounting.__file__).parent
TABLES = ("cgroup", "mountinfo", "mounts", "cpuset")
# Of the hung one and of who started it, which is where that is. The wait is for the exec: the kernel itself
# then waits with who opens this file.
LOOK = """printf '\\n\\n' | "$1" exec "$2" >/dev/null & pid=$! until=$3
trap 'touch "$until"; kill -9 $pid; wait' EXIT
while timeout -s KILL 0.5 cat /proc/$pid/smaps_rollup >/dev/null 2>&1; do sleep 0.05; done
shift 3
for table; do
    its=$(timeout -s KILL 10 cat "/proc/$pid/$table")
    test "$its" = "$(cat "/proc/$$/$table")"
    echo "$table"
done"""


@pytest.fixture
def hanging_file(tmp_path):
    """A program that hangs over a file, the directory of that file, and the file that ends it."""
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], text=True,
                           capture_output=True, check=True).stdout.split()
    for name in ("hung_file", "hung_member"):
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-pthread", "-o", tmp_path / name, PROGRAMS / f"{name}.c",
                        *flags], check=True)
    until = tmp_path / "until"
    with mounting.mount_point() as path:
        with subprocess.Popen([tmp_path / "hung_file", "-f", path],
                              env=os.environ | {"HUNG_UNTIL": str(until)}) as server:
            try:
                assert mounting.wait_until(lambda: mounting.is_serving(path))
                yield tmp_path / "hung_member", path, until
            finally:
                until.touch()
                subprocess.run(["umount", "-l", path], check=False)
                server.kill()


@pytest.mark.skipif(mounting.in_gvisor(), reason="nobody waits for an exec in gVisor's /proc")
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it mounts a filesystem that hangs")
@pytest.mark.parametrize("container", [[], ["unshare", "-pf", "--kill-child", "--mount-proc"]],
                         ids=["our proc", "proc of a pid namespace"])
def test_tables_of_one_that_hangs_in_exec(hanging_file, container):
    result = launcher.launch(*container, "sh", "-ec", LOOK, "sh", *hanging_file, *TABLES)
    assert (result.returncode, result.stderr, result.stdout.split()) == (0, "", list(TABLES))
