# SPDX-License-Identifier: MIT
"""Tasks with less than all rights, and what they may: for test_rights.py, with a launcher and without."""

import ctypes
import os
import struct

import probes
from processes import NOBODY, error_of, in_child
from probes import AT_FDCWD, LIBC, syscall

# System call numbers of x86_64; Landlock's are everywhere the same.
SYS_CAPGET, SYS_CAPSET, SYS_SETFSUID = 125, 126, 122
SYS_MOUNT, SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD, SYS_LANDLOCK_RESTRICT = 165, 444, 445, 446
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN = 1, 2, 21
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 38
READ_FILE, READ_DIRECTORY, RULE_PATH_BENEATH = 1 << 2, 1 << 3, 1
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUSER = 0x00020000, 0x02000000, 0x10000000


def prctl(option, value):
    assert LIBC.prctl(option, value, 0, 0, 0) == 0, option


def drop(*capabilities):
    """Effective and permitted ones."""
    header = struct.pack("Ii", 0x20080522, 0)
    data = ctypes.create_string_buffer(24)
    syscall(SYS_CAPGET, header, data)
    sets = list(struct.unpack("6I", data.raw))
    for capability in capabilities:
        for index in (0, 1):
            sets[index] &= ~(1 << capability)
    syscall(SYS_CAPSET, header, struct.pack("6I", *sets))


def restrict(beneath):
    """By Landlock: files are read below the paths only."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    ruleset = syscall(SYS_LANDLOCK_CREATE, struct.pack("Q", READ_FILE | READ_DIRECTORY), 8, 0)
    for path in beneath:
        parent = os.open(path, os.O_PATH)
        syscall(SYS_LANDLOCK_ADD, ruleset, RULE_PATH_BENEATH,
                struct.pack("=Qi", READ_FILE | READ_DIRECTORY, parent), 0)
        os.close(parent)
    syscall(SYS_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)


# --- who ---


def nobody():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def nobody_who_keeps_secrets():
    """Its files in /proc are root's."""
    nobody()
    prctl(PR_SET_DUMPABLE, 0)


def a_group_of_nobodys():
    os.setgroups([4321])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def root():
    pass


def root_that_overrides_nothing():
    drop(CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH)


def root_with_few_capabilities():
    drop(CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN)


def root_of_a_user_namespace():
    nobody()
    prctl(PR_SET_DUMPABLE, 1)
    assert LIBC.unshare(CLONE_NEWUSER) == 0
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {NOBODY} 1"), ("gid_map", f"0 {NOBODY} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def root_of_its_own_mounts():
    """But of no cgroup namespace."""
    root_of_a_user_namespace()
    assert LIBC.unshare(CLONE_NEWNS) == 0


def root_of_all_namespaces():
    root_of_a_user_namespace()
    assert LIBC.unshare(CLONE_NEWNS | CLONE_NEWCGROUP) == 0


def filesystem_user():
    """setfsuid(2): all other ids stay root's."""
    LIBC.syscall(SYS_SETFSUID, NOBODY)


def set_user_id_program():
    """As one has it that nobody runs and root owns."""
    os.setresgid(NOBODY, 0, 0)
    os.setresuid(NOBODY, 0, 0)


def drop_effective():
    """As a set-user-ID program of nobody that root runs."""
    os.setresgid(0, NOBODY, NOBODY)
    os.setresuid(0, NOBODY, 0)


WHO = [root, nobody, nobody_who_keeps_secrets, a_group_of_nobodys, root_that_overrides_nothing,
       root_with_few_capabilities, root_of_a_user_namespace, filesystem_user, set_user_id_program,
       drop_effective]


def as_task(who, function, *arguments):
    """What the function says in a child with these rights."""
    def work():
        who()
        return function(*arguments)

    return in_child(work)


# --- what it may ---


def opening(path):
    return error_of(lambda: os.close(os.open(path, os.O_RDONLY)))


def statfs(path):
    return error_of(probes.statfs, path)


def openings(paths):
    return [(opening(path), statfs(path)) for path in paths]


def mounting(target):
    return error_of(syscall, SYS_MOUNT, b"none", os.fsencode(target), b"cgroup", 0, b"cpu")


def in_private_namespace(function, *arguments):
    assert LIBC.unshare(CLONE_NEWNS) == 0
    assert LIBC.mount(None, b"/", None, 0x4000 | 0x40000, None) == 0  # MS_REC | MS_PRIVATE
    return function(*arguments)


def with_hidden_processes(directory, pids):
    """How each table of /proc/PID is opened where others' processes are hidden."""
    assert LIBC.mount(b"proc", os.fsencode(directory), b"proc", 0, b"hidepid=2") == 0
    nobody()
    prctl(PR_SET_DUMPABLE, 1)
    return [opening(f"{directory}/{pid}/{table}") for table in ("mountinfo", "cgroup", "cpuset")
            for pid in ("self", *pids)]


def with_processes_alone(directory):
    """How tables are opened where there is nothing but processes."""
    assert LIBC.mount(b"proc", os.fsencode(directory), b"proc", 0, b"subset=pid") == 0
    return [opening(f"{directory}/{table}")
            for table in ("mounts", "cgroups", "self/cgroup", "self/mountinfo")]


def where_links_lead_nowhere(directory):
    """How links in a filesystem that was mounted nosymfollow are opened."""
    assert LIBC.mount(b"none", os.fsencode(directory), b"tmpfs", 256, None) == 0  # MS_NOSYMFOLLOW
    os.symlink("/proc/self/mountinfo", f"{directory}/mtab")
    os.symlink(".", f"{directory}/here")
    return openings([f"{directory}/mtab", f"{directory}/here/mtab", "/proc/self/mountinfo"])


def by_each_user(file):
    """By calls that ask for the real user, for the effective one, and for the filesystem's."""
    sys_access, sys_faccessat2, effective = 21, 439, 0x200
    return [(error_of(syscall, sys_access, os.fsencode(file), mode),
             error_of(syscall, sys_faccessat2, AT_FDCWD, os.fsencode(file), mode, 0),
             error_of(syscall, sys_faccessat2, AT_FDCWD, os.fsencode(file), mode, effective))
            for mode in (os.R_OK, os.W_OK)] + [opening(file),
                                               error_of(lambda: os.close(os.open(file, os.O_WRONLY)))]


def in_the_tree(file):
    """Besides: what takes CAP_SYS_ADMIN, CAP_CHOWN, CAP_FOWNER."""
    sys_setxattr, sys_chown = 188, 92
    unmapped = {"EINVAL": "EPERM"}  # in a user namespace the kernel knows no such user
    before = by_each_user(file), error_of(syscall, sys_setxattr, os.fsencode(file), b"trusted.rights", b"1",
                                          1, 0)
    changed = error_of(syscall, sys_chown, os.fsencode(file), 5, 6)
    return before, unmapped.get(changed, changed), error_of(os.chmod, file, 0o640)


def restricted_to(paths, function, *arguments):
    restrict(paths)
    return function(*arguments)


def orphan(function, *arguments):
    """By a grandchild whose parent is gone."""
    def work():
        reading, writing = os.pipe()
        if not os.fork():
            if not os.fork():
                os.read(reading, 1)
                os.write(answer, repr(function(*arguments)).encode())
            os._exit(0)
        os.wait()
        os.write(writing, b"x")
        os._exit(0)

    result, answer = os.pipe()
    if not os.fork():
        work()
    os.close(answer)
    os.wait()
    return probes.read_fd(result)
