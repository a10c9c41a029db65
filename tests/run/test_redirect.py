# SPDX-License-Identifier: MIT
"""--redirect: paths below /sys/fs/cgroup lead to a mount elsewhere, with nothing mounted there."""

import os
import shutil

import pytest

import launcher
import paths
import probes
from launcher import AT, HIERARCHIES, shell
from processes import error_of

CALLS = [(paths.stats, "cpu/cpu.shares"), (paths.stats, "memory"), (paths.stats, "no-such"),
         (paths.stats, "cpu/cpu.shares/below"), (paths.stats, "memory/memory.force_empty"),
         (paths.opens, "cpu/cpu.shares"), (paths.opens, "cpu"), (paths.opens, "cpu/no-such"),
         (paths.opens, "cpu/cpu.stat"), (paths.directories, "pids"), (paths.refusals, "pids"),
         (paths.attributes, "cpu/cpu.shares"), (paths.extended_attributes, "cpu/cpu.shares"),
         (paths.watches, "freezer"), (paths.faults, "cpu/cpu.shares"), (paths.below, "cpuset")]


@pytest.mark.parametrize("function, path", CALLS, ids=[f"{f.__name__}-{p}" for f, p in CALLS])
def test_as_on_the_mount(mount, redirected, function, path):
    """The same program's same call says the same by either path."""
    direct = redirected.call(function, str(mount.path), path)
    assert redirected.call(function, AT, path) == direct


@pytest.mark.parametrize("function, path", [
    (paths.stats, "cpu/cpu.shares"), (paths.stats, "memory/memory.force_empty"),
    (paths.opens, "cpu/cpu.shares"), (paths.refusals, "pids")])
def test_with_the_rights_of_the_task(mount, redirected, function, path):
    """An ordinary user may no more than on the mount."""
    direct = redirected.call(paths.as_user, 1234, [], function, str(mount.path), path)
    assert direct and redirected.call(paths.as_user, 1234, [], function, AT, path) == direct


def test_a_group_of_the_task_counts(mount, redirected):
    """What a supplementary group may is not lost."""
    file = mount / "cpu" / "cpu.shares"
    os.chown(file, 0, 4321)
    os.chmod(file, 0o060)
    answers = [[redirected.call(paths.as_user, 1234, groups, paths.opens, base, "cpu/cpu.shares")
                for groups in ([], [4321])] for base in (str(mount.path), AT)]
    assert answers[0] == answers[1] and answers[0][0] != answers[0][1]
    os.chown(file, 0, 0)
    os.chmod(file, 0o644)


def test_a_descriptor_of_the_path_only(redirected):
    """The kernel gives none to another task: it is open for reading."""
    opened = redirected.call(probes.read_at, f"{AT}/cpu", "cpu.shares")
    assert redirected.call(probes.with_open, f"{AT}/cpu", os.O_PATH, probes.read,
                           "/proc/self/fd/{}/cpu.shares") == opened


def test_filesystem_type(redirected):
    assert redirected.call(probes.statfs, AT)["type"] == probes.TMPFS
    assert redirected.call(probes.statfs, f"{AT}/cpu/cpu.shares")["type"] == probes.CGROUP
    assert redirected.call(probes.fstatfs_of, f"{AT}/memory")["type"] == probes.CGROUP
    assert redirected.call(probes.statfs, "/proc")["type"] == probes.PROC


def test_tables_tell_of_the_place(redirected):
    """Where programs find the tree, not where it is."""
    mountinfo = redirected.call(probes.read, "/proc/self/mountinfo")
    mounts = probes.mounts(mountinfo)
    assert {AT: "tmpfs", **{f"{AT}/{name}": "cgroup" for name in HIERARCHIES}} == {
        point: kind for point, (kind, _, _) in mounts.items() if kind == "cgroup" or point == AT}
    points = [line.split()[1] for line in redirected.call(probes.read, "/proc/mounts").splitlines()]
    assert points == [line.split()[4] for line in mountinfo.splitlines()]
    assert f"mounted on {AT}/cpu with fstype cgroup\n" in redirected.call(probes.read,
                                                                          "/proc/self/mountstats")


def test_only_the_place_is_led(mount):
    """A mount beside it whose name begins alike is shown."""
    with launcher.temporary() as place:
        for name in ("at", "at-beside"):
            (place / name).mkdir()
        script = f"mount -t tmpfs beside {place}/at-beside; grep -c {place}/at-beside /proc/self/mountinfo " \
            f"/proc/self/mounts; stat -f -c %T {place}/at/cpu"
        out = shell(script, options=["--redirect", "--root", mount.path, "--at", place / "at"],
                    wrapper=["unshare", "-m", "--propagation", "private"])
        for name in ("at", "at-beside"):
            (place / name).rmdir()
    assert out.split() == ["/proc/self/mountinfo:1", "/proc/self/mounts:1", "cgroupfs"]


@pytest.fixture(scope="module")
def limited(mount):
    """The same with limits: what is redirected leads into the command's own cgroups."""
    with launcher.Inside("--redirect", "--root", str(mount.path), "-m", "64m",
                         wrapper=launcher.WITH_CGROUPS) as program:
        yield program


@pytest.mark.parametrize("path", [f"{AT}/./memory", f"{AT}//memory/.", f"{AT}/memory/../memory",
                                  "/sys//fs/./cgroup/memory", f"{AT}/cpu/../memory/../memory/"])
def test_dots_in_paths(redirected, limited, path):
    file = f"{path}/memory.limit_in_bytes"
    assert limited.call(probes.read, file) == f"{64 << 20}\n"
    assert redirected.call(probes.read, file) == "9223372036854771712\n"


@pytest.mark.parametrize("path", ["..", "../", "./.."])
def test_out_of_the_tree(redirected, limited, path):
    """Not to the directory that the mount is in, which a chroot may not even have."""
    for program in (redirected, limited):
        assert program.call(os.listdir, f"{AT}/{path}") == program.call(os.listdir, "/sys/fs")
    path = f"{AT}/{path}/../../etc/hostname"
    assert error_of(redirected.call, probes.read, path) is error_of(limited.call, probes.read, path) is None


def test_dots_refused(redirected):
    """As the kernel: by names that there are not, and of directories by \".\"."""
    assert error_of(redirected.call, probes.read, f"{AT}/no-such/../cpu/cpu.shares") == "ENOENT"
    assert error_of(redirected.call, probes.read, f"{AT}/cpu/cpu.shares/../cpu.shares") == "ENOTDIR"
    assert error_of(redirected.call, os.rmdir, f"{AT}/cpu/.") == "EINVAL"


def test_resolution_from_a_directory(redirected):
    """RESOLVE_IN_ROOT: the place is not where the path starts then. RESOLVE_BENEATH: no absolute path."""
    in_root, beneath = 16, 8
    with launcher.temporary() as root:
        os.makedirs(f"{root}{AT}/cpu")
        (root / "sys/fs/cgroup/cpu/cpu.shares").write_text("the root's\n", encoding="ascii")
        assert redirected.call(probes.read_by_openat2, str(root), f"{AT}/cpu/cpu.shares",
                               in_root) == "the root's\n"
        shutil.rmtree(root / "sys")
    assert error_of(redirected.call, probes.read_by_openat2, "/etc", f"{AT}/cpu/cpu.shares",
                    beneath) == "EXDEV"
    assert redirected.call(probes.read_by_openat2, "/etc", f"{AT}/cpu/cpu.shares", 0) == "1024\n"


def test_openat2_of_later_kernels(redirected):
    """A longer structure, whose rest is 0; and such that are too short."""
    def read(size):
        return redirected.call(probes.read_by_openat2, "/etc", f"{AT}/cpu/cpu.shares", 0, os.O_RDONLY, size)

    assert read(24) == read(40) == read(4096) == "1024\n"
    assert [error_of(read, size) for size in (0, 1, 23)] == ["EINVAL"] * 3


def test_roots_of_mounts(limited):
    """The limits' cgroup is the root of what is at the place, and the kernel's own is not in the tables."""
    mountinfo = [line.split() for line in limited.call(probes.read, "/proc/self/mountinfo").splitlines()]
    ours = [line for line in mountinfo if f"{line[4]}/".startswith(f"{AT}/")]
    assert [line[4] for line in ours] == [AT, *(f"{AT}/{name}" for name in reversed(HIERARCHIES))]
    assert {line[3] for line in ours} == {"/"}


def test_from_the_top(limited):
    """Names below the open top are the limits' cgroups too, as find, ls -R and rm -r have them."""
    name = "memory/memory.limit_in_bytes"
    assert limited.call(probes.read_at, AT, name) == f"{64 << 20}\n"
    assert limited.call(probes.read_by_openat2, AT, name, 8) == f"{64 << 20}\n"
    assert limited.call(probes.with_open, AT, os.O_RDONLY, probes.in_open_directory, "{}", probes.read,
                        name) == f"{64 << 20}\n"
    assert error_of(limited.call, probes.read_at, AT, "../no-such") == "ENOENT"
    status, out, err = limited.call(probes.run, "find", AT, "-mindepth", "1", "-type", "d")
    assert (status, sorted(out.split()), err) == (0, sorted(f"{AT}/{name}" for name in HIERARCHIES), "")


@pytest.mark.parametrize("name", ["", "/memory", "/memory/memory.limit_in_bytes"])
def test_links_of_open_files(redirected, limited, name):
    """They tell the place: runc asks."""
    for program in (redirected, limited):
        assert program.call(probes.with_open, f"{AT}{name}", os.O_RDONLY, os.readlink, "/proc/self/fd/{}") \
            == f"{AT}{name}"
    assert redirected.call(probes.with_open, "/etc/passwd", os.O_RDONLY, os.readlink, "/proc/self/fd/{}") \
        == "/etc/passwd"


def test_length_of_a_link(redirected):
    status, out, _ = redirected.call(probes.run, "perl", "-e", f"""
        open(my $file, "<", "{AT}/cpu/cpu.shares"); my $link = "/proc/self/fd/" . fileno($file);
        for my $size (0, 5, 100) {{
            my $buffer = "x" x 100; print syscall(89, $link, $buffer, $size), "\n"; }}""")
    assert (status, out.split()) == (0, ["-1", "5", str(len(f"{AT}/cpu/cpu.shares"))])


def test_bind_mounts_and_other_roots(limited):
    """A container's root has the tree where somebody mounts it, and the tables say so."""
    script = f"""
        root=$(mktemp -d); mount -t tmpfs tmpfs $root; mkdir -p $root/proc $root{AT}/memory $root/bin
        cp /bin/busybox $root/bin; mount --bind /proc $root/proc
        chroot $root /bin/busybox ls {AT}/memory | wc -l
        mkdir {AT}/memory/child; echo 32M > {AT}/memory/child/memory.limit_in_bytes
        mount --bind {AT}/memory/child $root{AT}/memory
        chroot $root /bin/busybox cat {AT}/memory/memory.limit_in_bytes
        chroot $root /bin/busybox cat /proc/self/mountinfo |
            grep -c ' /child {AT}/memory .* - cgroup cgroup rw,memory'
        chroot $root /bin/busybox ls {AT}/cpu 2>&1 | grep -c 'No such'
        umount $root{AT}/memory $root/proc $root; rmdir $root {AT}/memory/child"""
    status, out, err = limited.call(probes.run, "unshare", "-m", "--propagation", "private", "sh", "-ec",
                                    script)
    assert (status, out.split(), err) == (0, ["0", str(32 << 20), "1", "1"], "")
    refused = limited.call(probes.run, "setpriv", "--reuid", "65534", "mount", "--bind", f"{AT}/cpu", "/mnt")
    assert refused[0] != 0


def test_other_paths_are_left_alone(redirected):
    """Only whole names are the tree's."""
    for path in (f"{AT}-other", "/sys/fs", "/etc", "relative", ""):
        assert redirected.call(paths.stats, path, "") == redirected.call(paths.stats, path, "")
    assert redirected.call(paths.said, paths.SYS_MKDIR, f"{AT}x".encode(), 0o755) in ("EPERM", "EACCES")


def test_membership_and_limits():
    """With a daemon of its own, and the command's cgroup as the root."""
    out = shell(f"mkdir {AT}/pids/a; echo $$ > {AT}/pids/a/cgroup.procs; grep pids: /proc/self/cgroup;"
                f"cat {AT}/memory/memory.limit_in_bytes {AT}/pids/a/pids.max; echo 0 > "
                f"{AT}/pids/cgroup.procs;"
                f"echo $$ > {AT}/pids/cgroup.procs; rmdir {AT}/pids/a",
                options=["--redirect", "--memory", "64m"])
    assert out.splitlines()[0].endswith(":pids:/a") and out.splitlines()[1:] == ["67108864", "max"]


def test_another_place():
    out = shell("ls /no/such/place; cat /no/such/place/cpu/cpu.shares",
                options=["--redirect", "--at", "/no/such/place"])
    assert out.split() == [*sorted(HIERARCHIES), "1024"]


def test_changing_directory_is_the_kernels():
    """What docs/run.md says: no supervisor can do it for a task."""
    out = shell("cd /no/such/place 2>/dev/null || echo refused",
                options=["--redirect", "--at", "/no/such/place"])
    assert out == "refused\n"
