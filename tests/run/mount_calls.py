# SPDX-License-Identifier: MIT
"""The system calls that mount, as they are, and what programs do with them: each run prints what it saw.

One program for all trees: what it prints on the kernel's says what it must print on ours.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import random
import struct
import sys

HERE = os.environ.get("FUSE_CGROUP_TESTS", os.path.dirname(os.path.abspath(__file__)))
COMMAND = f"/usr/bin/python3 {HERE}/mount_calls.py"  # FUNCTION ARGUMENT...: prints what it says
LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, AT_EMPTY_PATH = -100, 0x1000
POINT = "/mnt"

# Everywhere the same.
OPEN_TREE, MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT, FSPICK = 428, 429, 430, 431, 432, 433
MOUNT_SETATTR, OPEN_TREE_ATTR = 442, 467
SYNCFS, FIFREEZE, FITHAW = 306, 0xc0045877, 0xc0045878  # of x86_64
FLAG, STRING, BINARY, PATH, PATH_EMPTY, FD, CREATE, RECONFIGURE = range(8)
CLONE, F_SYMLINKS, F_EMPTY_PATH, T_EMPTY_PATH, PICK_EMPTY_PATH = 1, 1, 4, 0x40, 8
RDONLY, NOSUID, NOATIME_ATTRIBUTE = 1, 2, 0x10
MS_RDONLY, MS_NOSUID, MS_NOEXEC, MS_REMOUNT, MS_NOATIME, MS_BIND, MS_MOVE, MS_PRIVATE = \
    1, 2, 8, 32, 1024, 4096, 8192, 1 << 18
MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_NOFOLLOW = 1, 2, 4, 8


def ended(result):
    """A descriptor or number, or the name of the errno."""
    return result if result >= 0 else errno.errorcode[ctypes.get_errno()]


def call(number, *arguments):
    return ended(LIBC.syscall(*(ctypes.c_long(part) if isinstance(part, int) else part
                                for part in (number, *arguments))))


def mount(source, target, kind, flags=0, data=None):
    return ended(LIBC.mount(*(part if part is None else os.fsencode(part)
                              for part in (source, target, kind)), ctypes.c_ulong(flags),
                            data if data is None else os.fsencode(data)))


def umount(target, flags=0):
    return ended(LIBC.umount2(os.fsencode(target), flags))


def fsopen(kind, flags=1):
    return call(FSOPEN, kind if kind is None else os.fsencode(kind), flags)


def fsconfig(fd, command, key=None, value=None, aux=0):
    return call(FSCONFIG, fd, command, *(part if part is None else os.fsencode(part)
                                         for part in (key, value)), aux)


def fsmount(fd, flags=1, attributes=0):
    return call(FSMOUNT, fd, flags, attributes)


def fspick(path, flags=1, dirfd=AT_FDCWD):
    return call(FSPICK, dirfd, os.fsencode(path), flags)


def open_tree(path, flags=CLONE, dirfd=AT_FDCWD):
    return call(OPEN_TREE, dirfd, os.fsencode(path), flags)


def attributes_of(raised, cleared=0, propagation=0):
    return struct.pack("4Q", raised, cleared, propagation, 0)


def open_tree_attr(path, raised):
    return call(OPEN_TREE_ATTR, AT_FDCWD, os.fsencode(path), CLONE, attributes_of(raised), 32)


def mount_setattr(path, raised, cleared=0, dirfd=AT_FDCWD, flags=0):
    return call(MOUNT_SETATTR, dirfd, os.fsencode(path), flags, attributes_of(raised, cleared), 32)


def move_mount(fd, target, path="", flags=F_EMPTY_PATH):
    return call(MOVE_MOUNT, fd, os.fsencode(path), AT_FDCWD, os.fsencode(target), flags)


def shown(point):
    """What mountinfo says of a mount: its root, options, type and those of its filesystem."""
    lines = [line.split() for line in open("/proc/self/mountinfo", encoding="utf-8")]
    found = [" ".join([words[3], words[5], words[-3], words[-1]]) for words in lines
             if words[4] == point]
    return found[-1] if found else None


def makes(directory):
    """Whether a cgroup can be made there, and is not left."""
    name = f"{directory}/fcg-makes-{os.getpid()}"
    try:
        os.mkdir(name)
    except OSError as error:
        return errno.errorcode[error.errno]
    os.rmdir(name)
    return "made"


def read_messages(fd):
    """Messages end with an error, never with nothing: some read until one."""
    try:
        return os.read(fd, 4096)
    except OSError:
        return "end"


def option_words(data):
    """The parameters that fsconfig(2) is told in place of mount(2)'s data."""
    for word in data.split(","):
        key, _, value = word.partition("=")
        yield (STRING, key, value) if value else (FLAG, key)


def new_mount(kind="cgroup", data="memory", attributes=0):
    """A detached mount by the newer calls, or where it ended."""
    fd = fsopen(kind)
    if isinstance(fd, str):
        return fd
    try:
        for word in option_words(data) if data else ():
            end = fsconfig(fd, *word)
            if end:
                return f"{word[1]}: {end}"
        end = fsconfig(fd, CREATE)
        return f"create: {end}" if end else fsmount(fd, 1, attributes)
    finally:
        os.close(fd)


def mounted_newly(kind="cgroup", data="memory", attributes="0", point=POINT):
    """The mount by the newer calls: what the table says, and what taking it away."""
    fd = new_mount(kind, data, int(attributes))
    if isinstance(fd, str):
        return fd
    end = move_mount(fd, point)
    os.close(fd)
    return end or [shown(point), sorted(os.listdir(point))[0], umount(point)]


def steps(kind="cgroup"):
    """A context's life, with every wrong turn."""
    fd = fsopen(kind)
    said = [
        fsopen(kind, 2), fsopen(None), fsmount(fd), fsconfig(fd, RECONFIGURE), read_messages(fd),
        # parameters
        fsconfig(fd, STRING, "memory", ""), fsconfig(fd, FLAG, "nonesuch"), fsconfig(fd, FLAG, "name"),
        fsconfig(fd, STRING, "name", "a b"), fsconfig(fd, STRING, "all", "x"),
        fsconfig(fd, STRING, "ro", "x"),
        fsconfig(fd, BINARY, "memory", "x", 1), fsconfig(fd, FD, "memory", None, 0),
        fsconfig(fd, STRING, "source", "a"), fsconfig(fd, STRING, "source", "b"),
        # arguments
        fsconfig(fd, 99), fsconfig(-1, FLAG, "a"), fsconfig(777, FLAG, "a"), fsconfig(0, FLAG, "a"),
        fsconfig(fd, FLAG, "a", "b"), fsconfig(fd, STRING, "a"), fsconfig(fd, CREATE, "a"),
        fsconfig(fd, FLAG, "x" * 300), fsconfig(fd, STRING, "memory", "x" * 300),
        # once
        fsconfig(fd, CREATE), fsconfig(fd, CREATE), fsconfig(fd, FLAG, "ro"), fsmount(fd, 2),
        fsmount(fd, 1, 0x8000), fsmount(fd, 1, 0x30), fsmount(777), fsmount(0)]
    made = fsmount(fd, 1, RDONLY | NOSUID)
    said += [fsmount(fd), move_mount(made, POINT), shown(POINT), os.close(made), umount(POINT),
             # and then to change it: without the controller all are meant
             fsconfig(fd, FLAG, "rw"), fsconfig(fd, CREATE), fsconfig(fd, RECONFIGURE),
             fsconfig(fd, FLAG, "ro"), fsconfig(fd, RECONFIGURE), fsmount(fd)]
    fd = fsopen(kind)
    said += [fsconfig(fd, CREATE), fsconfig(fd, FLAG, "memory"), fsconfig(fd, CREATE), fsmount(fd)]
    fd = fsopen("cpuset")
    said += [fsconfig(fd, FLAG, "cpuset"), fsconfig(fd, CREATE), fsopen("nonesuch")]
    return said


def mount_ends(kind, *data):
    """How mount(2) ends with each data; "-": none."""
    ends = []
    for words in data:
        ends.append(mount("none", POINT, kind, 0, None if words == "-" else words))
        if not ends[-1]:
            umount(POINT, MNT_DETACH)
    return ends


def remounts(name):
    """Of a hierarchy without cgroups; its root is mounted at the point."""
    all_words = f"none,name={name}"
    said = []

    def remount(data, flags=0):
        said.append((mount("x", POINT, None, MS_REMOUNT | flags, data),
                     shown(POINT).replace(name, "NAME")))

    said.append(mount("none", POINT, "cgroup", 0, all_words))
    for words in (None, "", "all", "none", "cpu", "nonesuch", "name=other", f"name={name},cpu"):
        remount(words)
    for word in ("noprefix", "xattr", "favordynmods", "cpuset_v2_mode", "clone_children"):
        remount(f"{all_words},{word}")
    remount(all_words)
    remount(f"name={name}", MS_NOSUID | MS_NOEXEC | MS_NOATIME)
    remount(all_words)
    remount(all_words, MS_RDONLY)
    said.append(makes(POINT))
    remount(all_words)
    with open(f"{POINT}/cgroup.procs", "w", encoding="ascii"):
        remount(all_words, MS_RDONLY)
    fd = fspick(POINT)
    said += [fsconfig(fd, FLAG, "ro"), fsconfig(fd, STRING, "name", name), fsconfig(fd, RECONFIGURE),
             makes(POINT), fsconfig(fd, FLAG, "rw"), fsconfig(fd, STRING, "name", name),
             fsconfig(fd, RECONFIGURE), shown(POINT).replace(name, "NAME"), os.close(fd),
             umount(POINT, MNT_FORCE), umount(POINT, MNT_FORCE)]
    return said


def remounts_populated(at, child):
    """Of a hierarchy that has a cgroup: nothing is changed. Its root is at `at`."""
    controller = os.path.basename(at)
    os.mkdir(f"{at}/{child}")
    try:
        before = shown(at)
        said = [mount("x", at, None, MS_REMOUNT | flags, data)
                for flags, data in ((0, controller), (MS_RDONLY, controller), (0, None), (0, "nonesuch"),
                                    (0, "name=other"))]
        said.append(mount("x", f"{at}/{child}", None, MS_REMOUNT, controller))
        fd = fspick(at)
        said += [fsconfig(fd, FLAG, "ro"), fsconfig(fd, FLAG, controller), fsconfig(fd, CREATE),
                 fsmount(fd), fsconfig(fd, RECONFIGURE), fsconfig(fd, RECONFIGURE),
                 fspick(f"{at}/{child}"), fspick(f"{at}/cgroup.procs"), fspick(at, 16),
                 fspick("/nonesuch"), fspick("", 1), before == shown(at)]
        directory = os.open(at, os.O_RDONLY)
        said.append(isinstance(fspick("", PICK_EMPTY_PATH, directory), int))
        return said
    finally:
        os.rmdir(f"{at}/{child}")


def by_force(at):
    """umount -f of a mount of the hierarchy, used and not, and by whoever is not root."""
    mount(at, POINT, None, MS_BIND)
    said = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(open(f"{POINT}/cgroup.procs", encoding="ascii"))
        said += [umount(POINT, MNT_FORCE), umount(f"{POINT}/cgroup.procs", MNT_FORCE),
                 umount(POINT, MNT_FORCE | MNT_EXPIRE), umount(POINT, 16),
                 umount(POINT, MNT_FORCE | MNT_DETACH)]
    said += [shown(POINT), umount(POINT, MNT_FORCE)]
    mount(at, POINT, None, MS_BIND)
    said += [as_nobody("umount", POINT, MNT_FORCE), umount(POINT, MNT_FORCE | UMOUNT_NOFOLLOW),
             len(os.listdir(at)) > 5]
    return said


def as_nobody(function, *arguments):
    """What it says to a child without rights."""
    ends = os.pipe()
    pid = os.fork()
    if not pid:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        os.write(ends[1], repr(globals()[function](*arguments)).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(ends[1])
    with open(ends[0], encoding="ascii") as file:
        said = file.read()
    return "a descriptor" if said.isdecimal() else said.strip("'")


def without_rights(at):
    return [as_nobody("mount", "none", POINT, "cgroup", 0, "memory"),
            as_nobody("mount", "none", POINT, "cpuset", 0, None),
            as_nobody("mount", "none", "/nonesuch", "cgroup", 0, "memory"),
            as_nobody("mount", "x", at, None, MS_REMOUNT, "memory"),
            as_nobody("fsopen", "cgroup"), as_nobody("fsopen", "cpuset"), as_nobody("fsopen", "cgroup2"),
            as_nobody("fsopen", "cgroup", 2), as_nobody("fspick", at), as_nobody("open_tree", at),
            as_nobody("open_tree", at, 0), as_nobody("mount_setattr", at, RDONLY),
            as_nobody("move_mount", AT_FDCWD, POINT, at, 0)]


def of_the_filesystem(at):
    """Calls that act on the whole filesystem, of which ours is one for all hierarchies."""
    fd = os.open(at, os.O_RDONLY)
    said = [call(SYNCFS, fd)]
    for request in (FIFREEZE, FITHAW):
        try:
            said.append(fcntl.ioctl(fd, request, 0))
        except OSError as error:
            said.append(errno.errorcode[error.errno])
    return said


def twice_at_one_place(at):
    controller = os.path.basename(at)
    said = [mount("x", at, "cgroup", 0, controller), mount("x", at, "tmpfs"), umount(at)]
    return said


def detached(attributes):
    """What can be done with a mount that is attached nowhere."""
    fd = new_mount(attributes=int(attributes))
    inside = os.open("cgroup.procs", os.O_RDONLY, dir_fd=fd)
    said = [os.read(inside, 1).isdigit(), os.close(inside),
            mount_setattr("", NOSUID, 0, fd, AT_EMPTY_PATH), move_mount(fd, POINT), shown(POINT),
            move_mount(fd, POINT), os.close(fd), umount(POINT)]
    fd = new_mount()
    said += [move_mount(AT_FDCWD, POINT, f"/proc/self/fd/{fd}", F_SYMLINKS), os.close(fd), umount(POINT)]
    os.chdir(f"/proc/self/fd/{(fd := new_mount())}")
    said += [move_mount(AT_FDCWD, POINT, ".", 0), os.close(fd), os.chdir("/"), umount(POINT)]
    os.close(new_mount())
    return said


def cloned():
    """A clone of a mount that is attached nowhere: Linux 6.15 makes one."""
    fd = new_mount(attributes=RDONLY)
    clone = open_tree("", CLONE | AT_EMPTY_PATH, fd)
    if isinstance(clone, str):
        return clone
    return [move_mount(clone, POINT), shown(POINT), os.close(clone), umount(POINT),
            move_mount(fd, POINT), os.close(fd), umount(POINT)]


def many_detached(count):
    """Of many mounts that are never attached the last ones can be."""
    fds = [new_mount() for _ in range(int(count))]
    said = [len(set(fds)) == len(fds), move_mount(fds[-1], POINT), os.close(fds[-1]), umount(POINT)]
    return said


def many_of_another(count):
    """One mount, then more than are kept, by a user namespace' root: whether the first is still there."""
    own = new_mount()
    said = []
    reading, writing = os.pipe()
    if not os.fork():
        # This process is root's outside, and the user that it becomes is nobody's.
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        LIBC.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE
        assert LIBC.unshare(0x12020000) == 0  # CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWCGROUP
        fds = [new_mount() for _ in range(int(count))]
        os.write(writing, b"%d %d" % (len(set(fds)), move_mount(fds[-1], POINT) == 0))
        os._exit(0)
    os.wait()
    said.append(os.read(reading, 100).decode())
    return said + [move_mount(own, POINT), os.close(own), umount(POINT)]


def forged():
    """Files that are no contexts, though they are named so."""
    name = "fscontext of fuse_cgroup_run"
    said = []
    for content in (b"", b"\0" * 64, b"\xff" * 64, b"\xff" * 4096, b"\1" * 64):
        fd = os.memfd_create(name)
        os.write(fd, content)
        ends = {fsconfig(fd, FLAG, "memory"), fsconfig(fd, CREATE), fsconfig(fd, RECONFIGURE), fsmount(fd)}
        said.append(not {end for end in ends if isinstance(end, str)} - {"EINVAL", "EBUSY"})
    return said


def binds(at, child):
    """Of a place that is not mounted but shown."""
    os.mkdir(f"{at}/{child}")
    try:
        fd = open_tree(f"{at}/{child}")
        said = [move_mount(fd, POINT), shown(POINT).split()[0], os.path.exists(f"{POINT}/cgroup.procs"),
                os.close(fd) or umount(POINT)]
        fd = open_tree_attr(at, RDONLY)
        said += [move_mount(fd, POINT), shown(POINT).split()[1][:2], os.close(fd) or umount(POINT),
                 open_tree(f"{at}/nonesuch"), open_tree(at, 0x8000), as_nobody("open_tree", at)]
        return said
    finally:
        os.rmdir(f"{at}/{child}")


def at_led(at):
    """What would change the mount at the place, if there were one: nothing does."""
    controller, top = os.path.basename(at), os.path.dirname(at)
    detached_mount = new_mount()
    said = [mount("t", at, "tmpfs"), mount("x", at, "cgroup", 0, controller),
            mount("/tmp", at, None, MS_BIND),
            move_mount(detached_mount, at), umount(at), umount(at, MNT_FORCE), umount(at, MNT_DETACH),
            umount(top, MNT_DETACH), mount("x", top, None, MS_REMOUNT | MS_RDONLY),
            umount(f"{at}/cgroup.procs"), mount(at, POINT, None, MS_MOVE), mount(None, at, None, MS_PRIVATE),
            mount(None, at, None, MS_REMOUNT | MS_BIND | MS_RDONLY), move_mount(AT_FDCWD, POINT, at, 0),
            mount_setattr(at, RDONLY), fspick(f"{at}/cgroup.procs"), open_tree(at, 0x8000),
            mount(None, at, None, MS_REMOUNT, controller),
            mount(None, at, None, MS_REMOUNT | MS_RDONLY, controller),
            mount(None, at, None, MS_REMOUNT, "memory")]
    fd = fspick(at)
    said += [fsconfig(fd, FLAG, controller), fsconfig(fd, RECONFIGURE), fsconfig(fd, FLAG, "ro"),
             fsconfig(fd, FLAG, controller), fsconfig(fd, RECONFIGURE),
             as_nobody("umount", at), as_nobody("mount_setattr", at, RDONLY),
             as_nobody("mount", "t", at, "tmpfs")]
    missing = f"{at}/nonesuch"
    said += [umount(missing), fspick(missing), mount("t", missing, "tmpfs"), mount_setattr(missing, RDONLY),
             mount(None, missing, None, MS_REMOUNT | MS_BIND | MS_RDONLY),
             move_mount(detached_mount, missing),
             move_mount(AT_FDCWD, POINT, missing, 0), as_nobody("umount", missing),
             as_nobody("mount_setattr", missing, RDONLY), as_nobody("mount", "t", missing, "tmpfs")]
    os.close(detached_mount)
    return said


def anything(seed, count):
    """Calls with whatever arguments: who answers them survives it."""
    chance = random.Random(seed)
    paths = ("", "/", POINT, "/sys/fs/cgroup", "/sys/fs/cgroup/pids/cgroup.procs", ".", "x" * 5000,
             "/proc/self/root/sys/fs/cgroup/memory")
    words = ("cpu", "memory", "all", "none", "name", "ro", "noprefix", "release_agent", "source", "a" * 300,
             "", "systemd", None)
    types = ("cgroup", "cpuset", "cgroup2", "tmpfs")
    fds = []

    def some_fd():
        return chance.choice([*fds, AT_FDCWD, -1, 0, 777])

    calls = (
        lambda: fsopen(chance.choice(types), chance.randrange(3)),
        lambda: fsconfig(some_fd(), chance.randrange(10), chance.choice(words), chance.choice(words),
                         chance.choice((0, 0, 0, 1))),
        lambda: fsmount(some_fd(), chance.randrange(3), chance.randrange(256)),
        lambda: fspick(chance.choice(paths), chance.randrange(16), some_fd()),
        lambda: open_tree(chance.choice(paths), chance.choice((0, 1, 0x1001, 0x9001)), some_fd()),
        lambda: move_mount(some_fd(), POINT, chance.choice(paths), chance.choice((0, 4, 0x44, 0x204))),
        lambda: umount(POINT, chance.randrange(16)),
        lambda: mount("x", POINT, chance.choice(types[:3]), chance.choice((0, MS_RDONLY, MS_REMOUNT)),
                      ",".join(word or "" for word in chance.choices(words, k=chance.randrange(4)))))
    for _ in range(int(count)):
        made = chance.choice(calls)()
        if isinstance(made, int) and made > 2:
            fds.append(made)
        while len(fds) > 30:
            os.close(fds.pop(0))
    while not umount(POINT, MNT_DETACH):
        pass
    return mounted_newly()


if __name__ == "__main__":
    print(repr(globals()[sys.argv[1]](*sys.argv[2:])))
