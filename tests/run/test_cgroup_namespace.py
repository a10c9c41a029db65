# SPDX-License-Identifier: MIT
"""Cgroup namespaces, and mounts of type cgroup in them, as on the kernel's own tree."""

import os
import re
import subprocess

import pytest

import launcher
import probes
from launcher import AT, PYTHON, shell
from test_user import as_user

NAME = f"fcg-namespace-{os.getpid()}"
MEMORY = f"{AT}/memory"
OURS = {"without cgroups": launcher.WITHOUT_CGROUPS, "with cgroups": launcher.WITH_CGROUPS}

# A shell in a cgroup of its own that has another in it and one beside it. `look` says where who reads is.
# `mounted` tells a mount's root, options and propagation.
SCRIPT = f"""
memory={MEMORY}; own=$memory/{NAME}
look() {{ sed -n "s/.*:memory://p" "/proc/${{1:-self}}/cgroup"; }}
mounted() {{ awk -v at="$1" "\\$5 == at {{ print \\$4, \\$6, \\$7 }}" /proc/self/mountinfo; }}
move() {{ echo $$ > "$1/cgroup.procs"; }}
"""
MAKE = """
trap 'move $memory; rmdir $own/in/deep $own/in $own/beside $own' EXIT
mkdir $own $own/in $own/in/deep $own/beside
move $own/in
"""


def inner(script, *options):
    """A command of a script's: another script, in a cgroup namespace."""
    return f"unshare -C {' '.join(options)} sh -ec '{SCRIPT}{script}'\n"


def kernel_has_v1():
    return any(" - cgroup cgroup " in line and f" {MEMORY} " in line
               for line in open("/proc/self/mountinfo", encoding="utf-8"))


def on_kernel(script):
    command = ["unshare", "-m", "--propagation", "private", "sh", "-ec", script]
    result = subprocess.run(command, text=True, capture_output=True, check=False,
                            timeout=launcher.PATIENCE)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


@pytest.fixture(params=[*(["kernel"] if kernel_has_v1() else []), *OURS])
def say(request):
    """What a script prints on a tree: the kernel's says what ours must."""
    def run(script):
        script = SCRIPT + MAKE + script
        if request.param == "kernel":
            return on_kernel(script)
        return shell(script, wrapper=OURS[request.param])

    return run


@pytest.fixture(params=OURS)
def wrapper(request):
    return OURS[request.param]


# --- the tables ---

def test_paths_from_the_root_of_the_namespace(say):
    out = say("look\n" + inner("""
        look; look $$
        move $own/in/deep; look
        move $own/beside; look
        move $memory; look
        move $own; look"""))
    assert out.split() == [f"/{NAME}/in", "/", "/", "/deep", "/../beside", "/../..", "/.."]


def test_others_calls_take_nobodys_root_away(wrapper):
    """A user's calls that make no namespace, as it may not, while another has one that was not looked at."""
    calls = "import ctypes; libc = ctypes.CDLL(None); [libc.unshare(0x02000000) for _ in range(600)]"
    waiting = inner("move $own/in/deep; echo >$pipes/moved; read _ <$pipes/look; look").rstrip()
    out = shell(f"""{SCRIPT}{MAKE}
        export pipes=$(mktemp -d); mkfifo $pipes/moved $pipes/look
        {waiting} &
        read _ <$pipes/moved
        setpriv --reuid 65534 --clear-groups --inh-caps=-all {PYTHON} -c "{calls}"
        echo >$pipes/look; wait $!; rm -r $pipes""", wrapper=wrapper)
    assert out.split() == ["/deep"]


def test_names_that_tables_cannot_have(say):
    """Blanks and backslashes in the names of cgroups, which mount tables write as numbers."""
    out = say(r"""mkdir "$own/in/a b" "$own/in/a b/c\d"; move "$own/in/a b"
        """ + inner(r"""
        root() { grep " $1 " /proc/self/mountinfo | cut -d " " -f 4; }
        look; root $memory
        mount -t cgroup -o memory none /mnt; root /mnt; umount /mnt
        move "$own/in/a b/c\d"; look
        mount --bind "$own/in/a b/c\d" /mnt; root /mnt; umount /mnt
        """, "-m --propagation private") + r"""move $memory; rmdir "$own/in/a b/c\d" "$own/in/a b" """)
    assert out.split() == ["/", "/../../..", "/", r"/c\d", r"/c\134d"]


def test_a_path_that_is_too_long_for_a_call(wrapper):
    """Deeper than a path may be: seen from a namespace there it is its root."""
    out = shell(f"""bash -es <<'END'
        {SCRIPT}
        mkdir $own; cd $own; name={"d" * 200}
        for i in {{1..25}}; do mkdir $name; cd $name; done
        echo $$ >cgroup.procs
        unshare -C sh -ec 'echo $$ >../../cgroup.procs; sed -n "s/.*:memory://p" /proc/self/cgroup'
        move $memory
        for i in {{1..25}}; do cd ..; rmdir $name; done
        rmdir $own\nEND""", wrapper=wrapper)
    assert out.split() == ["/../.."]


def test_nested(say):
    """Each has its own root, and who reads sees all from its own."""
    deeper = inner("look; look $PPID; move $own/in; look; look $PPID").replace("'", "'\\''")
    assert say(inner("move $own/in/deep\n" + deeper + "look")).split() == ["/", "/", "/..", "/",
                                                                          "/deep"]


def test_root_stays_when_its_maker_moves(say):
    """The maker is seen first, or its child, when it has left the place already."""
    out = say(inner("move $own/in/deep; (look; exit); look") + inner("move $own/in/deep; look $$"))
    assert out.split() == ["/deep"] * 3


def test_seen_from_outside(say):
    """A process in a namespace, by readers that are not."""
    out = say("""unshare -C sleep 100 & pid=$!
        while [ "$(readlink /proc/$pid/ns/cgroup)" = "$(readlink /proc/self/ns/cgroup)" ]; do :; done
        look $pid; export pid; move $own/beside
        """ + inner("look $pid") + "kill $pid; wait $pid 2>/dev/null || :")
    assert out.split() == [f"/{NAME}/in", "/../in"]


def test_cpuset(say):
    out = say(f"""
        cpuset={AT}/cpuset; mine=$cpuset/{NAME}; mkdir $mine
        cat $cpuset/cpuset.cpus > $mine/cpuset.cpus; cat $cpuset/cpuset.mems > $mine/cpuset.mems
        move $mine; cat /proc/self/cpuset
        """ + inner("cat /proc/self/cpuset; move /sys/fs/cgroup/cpuset; cat /proc/self/cpuset")
              + "cat /proc/self/cpuset; move $cpuset; rmdir $mine")
    assert out.split() == [f"/{NAME}", "/", "/..", f"/{NAME}"]


def test_root_in_the_mount_table(say):
    out = say("mounted $memory\n" + inner("mounted $memory"))
    assert [line.split()[0] for line in out.splitlines()] == ["/", "/../.."]


def test_made_by_clone(say):
    out = say(f"{probes.COMMAND} in_cloned_cgroup_namespace")
    assert out.split() == ["/"]


def test_many_namespaces(say):
    """One that is still there is not forgotten for many that have gone."""
    out = say(inner("""
        move $own/in/deep; look
        for i in $(seq 150); do unshare -C sed -n s/.*:memory://p /proc/self/cgroup; done | uniq -c
        look"""))
    assert out.split() == ["/deep", "150", "/", "/deep"]


def test_many_that_live(say):
    """The first of many is not forgotten as long as there is a process in it."""
    out = say(inner(f"move $own/in/deep; look; {probes.COMMAND} while_cgroup_namespaces_live 150"))
    assert out.split() == ["/deep", "/deep"]


def test_those_that_are_gone_are_let_go():
    """As long as one is known it is held open, lest another get its number."""
    with launcher.Inside() as inside:
        for _ in range(4):
            inside.call(probes.while_cgroup_namespaces_live, 40)
        files = f"/proc/{launcher.supervisor_of(inside.pid)}/fd"
        links = [os.readlink(f"{files}/{number}") for number in os.listdir(files)]
    assert 40 <= sum(link.startswith("cgroup:[") for link in links) < 120


# --- mounts ---

def test_mount_shows_the_root_of_the_namespace(say):
    out = say(inner("""
        mount -t cgroup -o memory none /mnt
        ls -d /mnt/deep /mnt/in 2>/dev/null || :
        grep -cx $$ /mnt/cgroup.procs
        stat -f -c %T /mnt
        mkdir /mnt/deep/new; ls -d $own/in/deep/new; rmdir /mnt/deep/new
        mounted /mnt
        move /mnt/deep; look""", "-m"))
    assert out.splitlines() == ["/mnt/deep", "1", "cgroupfs", f"{MEMORY}/{NAME}/in/deep/new",
                                "/ rw,relatime -", "/deep"]


@pytest.mark.parametrize("options, shown", [
    ("ro", "ro,relatime"), ("nosuid,nodev,noexec", "rw,nosuid,nodev,noexec,relatime"),
    ("noatime", "rw,noatime"), ("strictatime", "rw"), ("nodiratime", "rw,nodiratime,relatime")])
def test_flags(say, options, shown):
    out = say(inner(f"""
        mount -t cgroup -o {options},memory none /mnt
        mounted /mnt
        mkdir /mnt/new 2>/dev/null && rmdir /mnt/new && echo made || :""", "-m"))
    assert out.split() == ["/", shown, "-"] + ([] if options == "ro" else ["made"])


def test_private_though_the_tree_is_shared(wrapper):
    """What is mounted is a mount of its own, as of a filesystem."""
    out = shell(SCRIPT + "mount --make-shared $memory; mounted $memory\n"
                + inner("mount -t cgroup -o memory none /mnt; mounted /mnt", "-m"), wrapper=wrapper)
    before, after = out.splitlines()
    assert "shared:" in before and after == "/ rw,relatime -"


# The data, and how mount(2) ends in a namespace below the first.
ENDS = {
    None: "EPERM", "": "EPERM", "all": "EPERM", "cpu,memory": "EPERM", "release_agent=/x": "EPERM",
    "memory": "0", "memory,memory": "0", ",memory,": "0", "ro,memory": "0", "memory,xattr": "0",
    "memory,clone_children": "0", "memory,release_agent=/x": "0", "cpuset,noprefix": "0",
    "memory,noprefix": "EINVAL", "all,noprefix": "EINVAL", "all,memory": "EINVAL",
    "nonesuch": "EINVAL", "memory,nonesuch": "EINVAL", "none": "EINVAL", "memory,none": "EINVAL",
    "none,name=nonesuch": "EPERM", "name=nonesuch": "EINVAL", "name=": "EINVAL",
    "memory,name=nonesuch": "EPERM",
}


def test_data(say):
    out = say(inner(f"{probes.COMMAND} mount_ends cgroup " + " ".join(
        "-" if data is None else f"\"{data}\"" for data in ENDS), "-m"))
    assert dict(zip(ENDS, out.split(), strict=True)) == ENDS


def test_named_hierarchy(wrapper):
    ends = {"name=systemd": "0", "none,name=systemd": "0", "none,name=systemd,xattr": "0",
            "name=systemd,name=systemd": "EINVAL", "memory,name=systemd": "EBUSY"}
    out = shell(f"unshare -Cm {probes.COMMAND} mount_ends cgroup {' '.join(ends)}", wrapper=wrapper)
    assert dict(zip(ends, out.split(), strict=True)) == ends


def test_data_in_the_first_namespace(say):
    out = say(f"{probes.COMMAND} mount_ends cgroup - memory cpu,memory nonesuch")
    assert out.split() == ["EBUSY", "0", "EBUSY", "EINVAL"]


def test_no_version_two(wrapper):
    out = shell(f"unshare -Cm {probes.COMMAND} mount_ends cgroup2 -", wrapper=wrapper)
    assert out.split() == ["ENODEV"]


def test_other_types_are_the_kernels(say):
    assert say(f"{probes.COMMAND} mount_ends tmpfs - size=4k nonesuch=1").split() == \
        ["0", "0", "EINVAL"]
    assert say(f"{probes.COMMAND} mount_ends nonesuch -").split() == ["ENODEV"]


def test_targets(say):
    """By a descriptor, as runc does, relative, through a link; what is no directory, what is not there."""
    out = say(inner(f"""
        cd /; {probes.COMMAND} mount_on_descriptor /mnt
        for target in /mnt mnt /proc/self/root/mnt /etc/hostname /nonesuch /mnt/none/such; do
            {probes.COMMAND} mount_end cgroup memory $target
        done""", "-m"))
    assert out.split() == ["cgroup.procs", "0", "0", "0", "ENOTDIR", "ENOENT", "ENOENT"]


@pytest.mark.parametrize("wrapped, end", [
    ("unshare -Cm setpriv --bounding-set -sys_admin", "EPERM"),
    ("unshare -Cm setpriv --reuid 12345 --clear-groups", "EPERM"),
    ("unshare -m --map-root-user", "EPERM"),  # the cgroup namespace is another's
    ("unshare -C --map-root-user", "EPERM"),  # the mount namespace is another's
    ("unshare -Cm --map-root-user", "0")])
def test_who_may(say, wrapped, end):
    out = say(f"{wrapped} {PYTHON} - mount_end cgroup memory /mnt < {probes.__file__}")
    assert out.split() == [end]


def test_the_real_hierarchy_is_out_of_reach():
    """What is made in such a mount is made in our tree, not in the kernel's."""
    with launcher.Inside(wrapper=launcher.WITH_CGROUPS) as program:
        made = f"/mnt/{NAME}-real"
        status, out, err = program.call(probes.run, "sh", "-ec", f"""
            mount -t cgroup -o memory none /mnt; mkdir {made}; ls -d {MEMORY}/{NAME}-real""")
        reached = os.path.exists(f"{MEMORY}/{NAME}-real")
        if reached:
            os.rmdir(f"{MEMORY}/{NAME}-real")
        assert not reached
        assert (status, err, out) == (0, "", f"{MEMORY}/{NAME}-real\n")
        assert program.call(probes.run, "sh", "-ec", f"rmdir {made}; umount /mnt")[0] == 0


def test_below_limits(wrapper):
    """The root that limits give is the root of what is mounted, and cgroups in it those of a namespace."""
    out = shell(f"""
        mount -t cgroup -o memory none /mnt; cat /mnt/memory.limit_in_bytes; umount /mnt
        mkdir {MEMORY}/in; echo 1M > {MEMORY}/in/memory.limit_in_bytes
        echo $$ > {MEMORY}/in/cgroup.procs
        unshare -Cm sh -ec 'mount -t cgroup -o memory none /mnt; cat /mnt/memory.limit_in_bytes
            grep -o memory:.* /proc/self/cgroup'
        grep -o memory:.* /proc/self/cgroup
        echo $$ > {MEMORY}/cgroup.procs; rmdir {MEMORY}/in
    """, options=["--memory", "64M"], wrapper=wrapper)
    assert out.split() == [str(64 << 20), str(1 << 20), "memory:/", "memory:/in"]


def test_redirected(wrapper):
    out = shell(f"""
        mkdir {MEMORY}/in; echo $$ > {MEMORY}/in/cgroup.procs
        unshare -Cm sh -ec 'mount -t cgroup -o memory none /mnt; grep -cx $$ /mnt/cgroup.procs
            sed -n "s/.*:memory://p" /proc/self/cgroup'
        echo $$ > {MEMORY}/cgroup.procs; rmdir {MEMORY}/in
    """, options=["--redirect"], wrapper=wrapper)
    assert out.split() == ["1", "/"]


@pytest.mark.parametrize("cgroups", [False, True], ids=["without cgroups", "with cgroups"])
def test_ordinary_user(cgroups):
    out = shell("""unshare -Cm --map-root-user sh -ec 'mount -t cgroup -o memory none /mnt
        stat -f -c %T /mnt; sed -n "s/.*:memory://p" /proc/self/cgroup'""",
                wrapper=as_user(cgroups=cgroups))
    assert out.split() == ["cgroupfs", "/"]


def test_trace_tells():
    result = launcher.launch("unshare", "-Cm", "mount", "-t", "cgroup", "-o", "memory", "none", "/mnt",
                             options=["--trace"])
    assert result.returncode == 0
    assert re.search(r" unshare\(CLONE_NEWCGROUP\): the kernel's$", result.stderr, re.M)
    assert re.search(r" (mount\(/mnt\)|move_mount\(.*\)): answered$", result.stderr, re.M)
