# SPDX-License-Identifier: MIT
"""The calls that mount, on our tree as on the kernel's: what each says, and whom it concerns."""

import ast
import contextlib
import os
import pathlib

import pytest

import launcher
import mount_calls
import mounting
import probes
from launcher import AT, HIERARCHIES, shell
from test_cgroup_namespace import OURS, kernel_has_v1, on_kernel
from test_user import as_user

NAME = f"fcg-calls-{os.getpid()}"
PIDS = f"{AT}/pids"
PRIVATE = "unshare -m --propagation private"


def command(function, *arguments):
    return " ".join([mount_calls.COMMAND, function, *(f"'{part}'" for part in arguments)])


def below(function, *arguments, private=PRIVATE, **more):
    """What a function of mount_calls says below the launcher."""
    return ast.literal_eval(shell(f"{private} {command(function, *arguments)}", **more))


TREES = [*(["kernel"] if kernel_has_v1() else []), *OURS]


@pytest.fixture(params=TREES)
def say(request):
    """What a function of mount_calls says of a tree: the kernel's says what ours must."""
    def run(function, *arguments):
        if request.param == "kernel":
            return ast.literal_eval(on_kernel(command(function, *arguments)))
        return below(function, *arguments, wrapper=OURS[request.param])

    run.is_kernel = request.param == "kernel"
    return run


@pytest.fixture(params=OURS)
def wrapper(request):
    return OURS[request.param]


# --- fsopen, fsconfig, fsmount ---

def test_steps(say):
    assert say("steps") == [
        "EINVAL", "EFAULT", "EINVAL", "EBUSY", "end",
        0, "EINVAL", "EINVAL", "EINVAL", "EINVAL", 0, 0, 0, 0, "EINVAL",
        "ENOTSUP", "EINVAL", "EBADF", "EINVAL", "EINVAL", "EINVAL", "EINVAL", "EINVAL", "EINVAL",
        0, "EBUSY", "EBUSY", "EINVAL", "EINVAL", "EINVAL", "EBADF", "EINVAL",
        "EBUSY", 0, "/ ro,nosuid,relatime cgroup rw,memory", None, 0,
        0, "EBUSY", "EBUSY", "EBUSY", "EBUSY", "EBUSY",
        "EBUSY", "EBUSY", "EBUSY", "EINVAL", "EINVAL", 0, "ENODEV"]


@pytest.mark.parametrize("kind, data, attributes, end", [
    ("cgroup", "memory", 0, "/ rw,relatime cgroup rw,memory"),
    ("cgroup", "name=systemd", mount_calls.RDONLY, "/ ro,relatime cgroup rw,name=systemd"),
    ("cgroup", "none,name=systemd", mount_calls.NOATIME_ATTRIBUTE, "/ rw,noatime cgroup rw,name=systemd"),
    ("cpuset", "ro", 0, "/ rw,relatime cgroup rw,cpuset"),
    ("cgroup", "cpu,memory", 0, "create: EBUSY"),
    ("cgroup", "memory,none", 0, "create: EINVAL")])
def test_mounted_newly(say, kind, data, attributes, end):
    said = say("mounted_newly", kind, data, attributes)
    assert said == end if isinstance(said, str) else said == [end, "cgroup.clone_children", 0]


def test_version_two(wrapper):
    """As on a kernel that has none: mount(2) says so too."""
    assert below("fsopen", "cgroup2", wrapper=wrapper) == "ENODEV"


def test_detached(say):
    """It can be read, and be given attributes; it is attached once, and then not busy."""
    assert say("detached", mount_calls.RDONLY) == \
        [True, None, 0, 0, "/ ro,nosuid,relatime cgroup rw,memory", "ELOOP", None, 0,
         0, None, 0, 0, None, None, 0]


def test_cloned(say):
    assert say("cloned") in (
        "EINVAL", [0, "/ ro,relatime cgroup rw,memory", None, 0, 0, None, 0])


def test_many_detached(wrapper):
    """Nobody can have the supervisor keep any number of them."""
    assert below("many_detached", 300, wrapper=wrapper) == [True, 0, None, 0]


def test_many_of_another_user(wrapper):
    """They take nothing away from root."""
    assert below("many_of_another", 300, wrapper=wrapper) == ["300 1", 0, None, 0]


def test_kept_in_bounds():
    with launcher.Inside(wrapper=launcher.WITH_CGROUPS) as program:
        assert program.call(mount_calls.many_detached, 300)[1] == 0
        before = program.call(len_of_supervisors_files)
        assert program.call(mount_calls.many_detached, 300)[1] == 0
        assert program.call(len_of_supervisors_files) <= before + 20


def len_of_supervisors_files():
    """The files of the process that answers: of the launcher's children the one that is not this."""
    launcher_pid = os.getppid()
    children = pathlib.Path(f"/proc/{launcher_pid}/task/{launcher_pid}/children").read_text("ascii")
    supervisor = next(pid for pid in children.split() if int(pid) != os.getpid())
    return len(os.listdir(f"/proc/{supervisor}/fd"))


def test_forged(wrapper):
    assert below("forged", wrapper=wrapper) == [True] * 5


def test_anything(wrapper):
    assert below("anything", 1, 1500, wrapper=wrapper) == [
        "/ rw,relatime cgroup rw,memory", "cgroup.clone_children", 0]


def test_root_of_the_namespace():
    """A context's mount is from the root of who mounts it, as mount(2)'s."""
    out = shell(f"""
        mkdir {AT}/memory/in; echo $$ > {AT}/memory/in/cgroup.procs
        unshare -Cm {command('mounted_newly')}
        unshare -Cm sh -ec 'mount -t cgroup -o memory none /mnt; mkdir /mnt/made'; rmdir {AT}/memory/in/made
        echo $$ > {AT}/memory/cgroup.procs; rmdir {AT}/memory/in""")
    assert ast.literal_eval(out)[0] == "/ rw,relatime cgroup rw,memory"


def test_below_limits():
    out = shell(f"{PRIVATE} sh -ec '{mount_calls.COMMAND} mounted_newly; mount -t cpuset none /mnt; "
                "cat /mnt/cpuset.cpus'", options=["--memory", "64M", "--cpuset-cpus", "0"])
    mounted, cpus = out.splitlines()
    assert ast.literal_eval(mounted)[0] == "/ rw,relatime cgroup rw,memory" and cpus == "0"


@pytest.mark.parametrize("cgroups", [False, True], ids=["without cgroups", "with cgroups"])
def test_ordinary_user(cgroups):
    """In a user namespace of its own: the mount namespace alone is not enough."""
    out = shell(f"""unshare -Cm --map-root-user {mount_calls.COMMAND} mounted_newly
                unshare -m --map-root-user {mount_calls.COMMAND} mounted_newly""",
                wrapper=as_user(cgroups=cgroups))
    mounted, refused = out.splitlines()
    assert ast.literal_eval(mounted) == ["/ rw,relatime cgroup rw,memory", "cgroup.clone_children", 0]
    assert ast.literal_eval(refused) == "create: EPERM"


# --- mount(2): types and data ---

# The data, and how a mount of each type ends.
CPUSET = {"-": 0, "": 0, "ro": 0, "cpuset": "EINVAL", "noprefix": "EINVAL", "xattr": "EINVAL",
          "source=x": "EINVAL", "nonesuch": "EINVAL", "release_agent=/x": "EINVAL"}
CGROUP = {"memory=1": 0, "memory=": 0, "=x,memory": 0, "memory,=x": 0, "memory,ro=1": 0, "name": "EINVAL",
          "all=1,memory": "EINVAL", "memory,none=1": "EINVAL", "memory,source=x": "EINVAL",
          "none,name=a!b": "EINVAL", f"memory,name={'a' * 70}": "EINVAL", "memory,release_agent": "EINVAL",
          "memory,release_agent=": "EINVAL", "memory,release_agent=/x,release_agent=/y": "EINVAL",
          "memory,sync,mand": 0, "memory,silent": "EINVAL", "memory,context=x": "EINVAL"}


@pytest.mark.parametrize("kind, ends", [("cpuset", CPUSET), ("cgroup", CGROUP)])
def test_data(say, kind, ends):
    assert dict(zip(ends, say("mount_ends", kind, *ends), strict=True)) == ends


def test_cpuset_is_ours():
    """The type of before cgroups leads to the tree too, not to the machine's own."""
    made = f"{AT}/cpuset/{NAME}"
    with launcher.Inside(wrapper=launcher.WITH_CGROUPS) as program:
        result = program.call(probes.run, "unshare", "-m", "sh", "-ec", f"""
            mount -t cpuset none /mnt; mkdir /mnt/{NAME}; ls -d {made}; stat -f -c %T /mnt
            rmdir /mnt/{NAME}""")
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(made)
            pytest.fail("made in the kernel's")
        assert result == (0, f"{made}\ncgroupfs\n", "")


def test_twice_at_one_place(say):
    assert say("twice_at_one_place", PIDS) == ["EBUSY", 0, 0]


# --- remount, fspick ---

def test_remount(say):
    """The filesystem's options are one hierarchy's own. The kernel's one is made for this, and empty."""
    same, read_only = "/ rw,relatime cgroup rw,name=NAME", "/ ro,noatime cgroup ro,name=NAME"
    kept = "/ rw,noatime cgroup rw,name=NAME"
    assert say("remounts", NAME if say.is_kernel else "systemd") == [
        0, ("EBUSY", same), ("EBUSY", same), ("EBUSY", same), ("EINVAL", same), ("EBUSY", same),
        ("EINVAL", same), ("EINVAL", same), ("EBUSY", same),
        ("EINVAL", same), ("EINVAL", same), ("EINVAL", same), ("EINVAL", same), (0, same),
        (0, same), (0, "/ rw,nosuid,noexec,noatime cgroup rw,name=NAME"), (0, kept), (0, read_only),
        "EROFS", (0, kept), ("EBUSY", kept), 0, 0, 0, "EROFS", 0, 0, 0, kept, None, 0, "EINVAL"]


def test_remount_with_cgroups(say):
    assert say("remounts_populated", PIDS, NAME) == [
        "EBUSY", "EBUSY", "EBUSY", "EINVAL", "EINVAL", "EINVAL", 0, 0, "EBUSY", "EBUSY", "EBUSY", "EBUSY",
        "EINVAL", "EINVAL", "EINVAL", "ENOENT", "ENOENT", True, True]


def test_remount_is_ones_own(start):
    """Read-only is one hierarchy at one place: the others, and whoever is outside, write as before."""
    daemon = start()
    with launcher.Inside("--root", daemon.path) as program:
        remount = ("mount", "-o", "remount,ro", PIDS)
        assert program.call(probes.run, *remount)[0] == 0
        assert program.call(mount_calls.makes, PIDS) == "EROFS"
        assert {program.call(mount_calls.makes, f"{AT}/{name}") for name in HIERARCHIES
                if name != "pids"} == {"made"}
        assert mount_calls.makes(f"{daemon.path}/pids") == "made"
        assert program.call(mount_calls.mount, "none", "/mnt", "cgroup", 0, "pids") == 0
        assert program.call(mount_calls.makes, "/mnt") == "EROFS"
        assert program.call(mount_calls.umount, "/mnt") == 0
        assert program.call(probes.run, "mount", "-o", "remount,rw", PIDS)[0] == 0
        assert program.call(mount_calls.makes, PIDS) == "made"
        # The whole mount, which is shown as a tmpfs, is nobody's to change.
        assert program.call(mount_calls.mount, "x", str(daemon.path), None,
                            mount_calls.MS_REMOUNT | mount_calls.MS_RDONLY) == "EBUSY"
        assert program.call(mount_calls.fspick, str(daemon.path)) == "EBUSY"
        assert mount_calls.makes(f"{daemon.path}/pids") == "made"


def test_of_the_filesystem(say):
    assert say("of_the_filesystem", PIDS) == [0, "ENOTSUP", "EINVAL"]


# --- umount2 ---

def test_umount_by_force(say):
    assert say("by_force", PIDS) == ["EBUSY", "EINVAL", "EINVAL", "EINVAL", 0, None, "EINVAL", "EPERM", 0,
                                     True]


def test_umount_by_force_is_ones_own(start):
    daemon = start()
    with launcher.Inside("--root", daemon.path) as program:
        assert program.call(mount_calls.umount, PIDS, mount_calls.MNT_FORCE) == 0
        assert not program.call(os.listdir, PIDS)
        assert {program.call(mount_calls.makes, f"{AT}/{name}") for name in HIERARCHIES
                if name != "pids"} == {"made"}
        assert mount_calls.makes(f"{daemon.path}/pids") == "made"


TAKE_AWAY = f"cd {AT}; for name in *; do umount $name; rmdir $name; done; cd /"
BRING_BACK = f"""
mountpoint -q {AT} || mount -t tmpfs -o mode=0755 cgroup {AT}
cd {AT}
for name in $(awk '!/^#/ {{ if ($4 == 1) print $1 }}' /proc/cgroups); do
    mkdir -p $name; mount -n -t cgroup -o $name cgroup $name
done
stat -f -c %T {AT}/memory; ls -d {AT}/memory/{NAME}; ls | wc -l
rmdir {AT}/memory/{NAME}
"""


@pytest.mark.parametrize("taking", [
    TAKE_AWAY, f"{TAKE_AWAY}; umount {AT}", f"mount -t tmpfs cover {AT}", f"umount -R {AT}"])
def test_mounted_again(wrapper, taking):
    """cgroupfs-umount and cgroupfs-mount, a tmpfs over all: the hierarchies are there as before."""
    out = shell(f"mkdir {AT}/memory/{NAME}; {taking}; {BRING_BACK}", wrapper=wrapper)
    assert out.split() == ["cgroupfs", f"{AT}/memory/{NAME}", str(len(HIERARCHIES) - 1)]


def test_mounted_while_covered(wrapper):
    out = shell(f"""{PRIVATE} sh -ec '
        mount -t tmpfs cover {AT}/memory; mount -t cgroup -o memory none /mnt; stat -f -c %T /mnt'""",
                wrapper=wrapper)
    assert out == "cgroupfs\n"


def test_mounted_by_the_next_daemon():
    """The mounts are of the daemon that serves now, where they were; what was done to them stays so."""
    with launcher.Inside() as program:
        assert program.call(probes.run, "sh", "-ec", f"""
            umount {AT}/blkio; rmdir {AT}/blkio; umount {AT}/cpuset; mount -t tmpfs cover {AT}/freezer
            mount -o remount,ro {AT}/pids""")[0] == 0
        daemon, = launcher.daemons_in(program.directory)
        os.kill(daemon, 9)
        mounted = ["/ rw,relatime cgroup rw,memory", "cgroup.clone_children", 0]
        assert mounting.wait_until(lambda: alive(program) and program.call(
            probes.run, "sh", "-c", f"{PRIVATE} {command('mounted_newly')}")[1] == f"{mounted}\n")
        left = {name: program.call(mount_calls.makes, f"{AT}/{name}") for name in HIERARCHIES}
        assert left == {**dict.fromkeys(HIERARCHIES, "made"), "blkio": "ENOENT", "pids": "EROFS"}
        assert program.call(probes.statfs, f"{AT}/freezer")["type"] == probes.TMPFS
        assert program.call(mount_calls.umount, f"{AT}/freezer") == 0
        assert program.call(mount_calls.mount, "x", f"{AT}/cpuset", "cgroup", 0, "cpuset") == 0
        assert program.call(probes.statfs, f"{AT}/cpuset")["type"] == probes.CGROUP
        program.close(said="fuse_cgroup_run: its daemon has ended: starting another\n")


def alive(program):
    return program.call(probes.run, "cat", f"{AT}/systemd/tasks")[0] == 0


# --- who may ---

def test_without_rights(say):
    assert say("without_rights", PIDS) == [
        "EPERM", "EPERM", "ENOENT", "EPERM", "EPERM", "EPERM", "EPERM", "EPERM", "EPERM", "EPERM",
        "a descriptor", "EPERM", "EPERM"]


@pytest.mark.skipif(not kernel_has_v1(), reason="there are no cgroups to be hidden")
def test_what_is_locked_stays_hidden():
    """Where the launcher starts in a user namespace the kernel's cgroups are below the tree, locked."""
    out = shell(f"""
        move="{mount_calls.COMMAND} move_mount {mount_calls.AT_FDCWD}"
        for take in "umount -l {AT}" "umount -f {AT}" "unshare -m umount -l {AT}" "mount --move {AT} /mnt"; do
            $take 2> /dev/null && echo "$take"
        done
        /usr/bin/python3 -c 'import sys; sys.path.insert(0, "{launcher.HERE}")
import mount_calls; print(mount_calls.move_mount(-100, "/mnt", "{AT}", 0))'
        stat -f -c %T {AT}/memory; cat {AT}/devices/cgroup.sane_behavior
        mount --bind {AT} /mnt; umount /mnt""",
                wrapper=("unshare", "-m", "--map-root-user"))
    assert out.split() == ["EINVAL", "cgroupfs", "0"]


# --- with --redirect ---

def test_redirected_binds(wrapper):
    """What util-linux' mount does from 2.41 on: the tree is bound, not what the kernel has at its place."""
    out = shell(f"{PRIVATE} {command('binds', f'{AT}/memory', NAME)}", options=["--redirect"],
                wrapper=wrapper)
    assert ast.literal_eval(out) == [0, f"/{NAME}", True, 0, 0, "ro", 0, "ENOENT", "EINVAL", "EPERM"]


def test_redirected_binds_only_where_the_task_may_go():
    """Root without the capabilities that pass by modes may not enter another's directory to bind what is
    there."""
    secret = f"{AT}/memory/{NAME}-secret"
    mount = f"setpriv --bounding-set=-all,+sys_admin mount --bind {secret}/child /mnt"
    out = shell(f"""
        mkdir {secret} {secret}/child; chown 1234 {secret}; chmod 700 {secret}
        {PRIVATE} {mount} 2> /dev/null && echo "was bound"
        {PRIVATE} {mount_calls.COMMAND} open_tree {secret}/child
        {PRIVATE} setpriv --bounding-set=-all,+sys_admin {mount_calls.COMMAND} open_tree {secret}/child
        chmod 755 {secret}
        {PRIVATE} {mount} && echo bound
        rmdir {secret}/child {secret}""", options=["--redirect"])
    assert [line.strip("'") for line in out.splitlines() if not line.isdigit()] == ["EACCES", "bound"]


# Where a launcher that let them through does no harm; says whether what is mounted at the place stayed.
GUARDED = ("unshare", "-m", "--propagation", "private", "sh", "-c",
           f'before=$(grep " {AT}" /proc/self/mountinfo); "$@" || exit; '
           f'[ "$before" = "$(grep " {AT}" /proc/self/mountinfo)" ] && echo unchanged', "sh")


def test_redirected_place_stays():
    """Neither what is shown there nor what the kernel has there is mounted on, changed or taken away."""
    said, mounts = shell(command("at_led", PIDS), options=["--redirect"], wrapper=GUARDED).splitlines()
    assert ast.literal_eval(said) == [
        "EBUSY"] * 9 + ["EINVAL"] * 8 + [0, "EBUSY", "EBUSY", 0, 0, 0, 0, "EBUSY"] + ["EPERM"] * 3 + [
            "ENOENT"] * 8 + ["EPERM", "ENOENT"]
    assert mounts == "unchanged"
