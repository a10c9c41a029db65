# SPDX-License-Identifier: MIT
"""What programs see of a unified hierarchy, by calls: on the kernel's these say what ours must."""

import contextlib
import ctypes
import errno
import json
import os
import pathlib
import select
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path[0:0] = [str(HERE), str(HERE.parent / "mount")]

import probes  # noqa: E402 pylint: disable=wrong-import-position
from mounting import wait_until  # noqa: E402 pylint: disable=wrong-import-position

COMMAND = f"/usr/bin/python3 {os.path.abspath(__file__)}"  # FUNCTION ARGUMENT...: prints what it says
SYS_BPF, SYS_UNSHARE, SYS_CLONE3 = 321, 272, 435  # of x86_64
LOAD, ATTACH, DETACH, QUERY = 5, 8, 9, 16
CGROUP_SKB, CGROUP_DEVICE = 8, 15  # kinds of programs
DEVICE = 6  # BPF_CGROUP_DEVICE
OVERRIDE, MULTI, REPLACE = 1, 2, 4
CLONE_INTO_CGROUP = 0x200000000
IN_MODIFY, IN_NONBLOCK = 2, 0o4000


def ending(function, *arguments):
    """What it returns, or the errno's name."""
    try:
        return function(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]


# --- /proc/PID/cgroup ---

def where(pid="self"):
    lines = pathlib.Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines()
    return next(line for line in lines if line.startswith("0::"))


def move(directory, pid=None):
    (directory / "cgroup.procs").write_text(str(pid or os.getpid()), encoding="ascii")


@contextlib.contextmanager
def cgroups(base, name, *parts):
    """These cgroups below one of this name, which is given; nobody is in them at the end."""
    own = pathlib.Path(base, name)
    paths = [own, *(own / part for part in parts)]
    for path in paths:
        path.mkdir()
    try:
        yield own
    finally:
        move(own.parent)
        for path in reversed(paths):
            with contextlib.suppress(FileNotFoundError):
                path.rmdir()


def in_namespace(function):
    """What the function says in a child that has a cgroup namespace of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            probes.syscall(SYS_UNSHARE, probes.CLONE_NEWCGROUP)
            os.write(writing, json.dumps(function()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading) as answer:
        return json.load(answer)


def is_zombie(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"


def memberships(base, name):
    """Of the reader, of another, of a zombie, of one whose cgroup is gone; and from a namespace."""
    with cgroups(base, name, "in", "in/deep", "beside", "gone") as own, \
            subprocess.Popen(["sleep", "1000"]) as other:
        said = [where()]
        move(own / "in")
        said.append(where())
        move(own / "beside", other.pid)
        said.append(where(other.pid))

        def look():
            seen = [where(), where(other.pid), where(os.getppid())]
            move(own / "in/deep")
            return [*seen, where()]

        said += in_namespace(look)
        move(own / "gone", other.pid)
        other.kill()
        assert wait_until(lambda: is_zombie(other.pid))
        said.append(where(other.pid))
        (own / "gone").rmdir()
        return [*said, where(other.pid)]


# --- bpf(2) ---

def bpf(command, attributes):
    """The raw call: (its result, what is then in the attributes)."""
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    return probes.syscall(SYS_BPF, command, buffer, len(attributes)), buffer.raw


def load(kind):
    """A program that permits all."""
    instructions = struct.pack("<BBhi", 0xb7, 0, 0, 1) + struct.pack("<BBhi", 0x95, 0, 0, 0)
    code, license_name = ctypes.create_string_buffer(instructions), ctypes.create_string_buffer(b"MIT")
    return bpf(LOAD, struct.pack("<IIQQ", kind, 2, ctypes.addressof(code), ctypes.addressof(license_name)))[0]


def attach(directory, program, flags, replaced=0):
    return bpf(ATTACH, struct.pack("<IIIII", directory, program, DEVICE, flags, replaced))[0]


def detach(directory, program, size=20):
    return bpf(DETACH, struct.pack("<IIIII", directory, program, DEVICE, 0, 0)[:size])[0]


def number(program):
    text = pathlib.Path(f"/proc/self/fdinfo/{program}").read_text(encoding="ascii")
    return int(dict(line.split(":", 1) for line in text.splitlines())["prog_id"])


def query(directory, room=8, flags=0):
    """(flags, count, the programs' numbers)."""
    numbers = (ctypes.c_uint32 * room)()
    _, said = bpf(QUERY, struct.pack("<IIIIQQ", directory, DEVICE, flags, 0, ctypes.addressof(numbers), room))
    _, _, _, flags, _, count = struct.unpack("<IIIIQI4x", said)
    return flags, count, [part for part in numbers if part]


def query_of(path):
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    return ending(query, directory)


def attachments(base, name):
    """Each step's end, and what is attached then, the programs by their order of loading."""
    with cgroups(base, name) as own, contextlib.ExitStack() as stack:
        directory = os.open(own, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, directory)
        programs = [load(CGROUP_DEVICE), load(CGROUP_DEVICE), load(CGROUP_DEVICE), load(CGROUP_SKB)]
        for program in programs:
            stack.callback(os.close, program)
        names = {number(program): "abcd"[i] for i, program in enumerate(programs)}
        a, b, c, other_kind = programs
        said = []

        def step(function, *arguments):
            end = ending(function, directory, *arguments)
            seen = ending(query, directory)
            said.append((end, seen if isinstance(seen, str) else
                         (*seen[:2], "".join(names[part] for part in seen[2]))))

        step(detach, a)
        step(attach, a, 0)
        step(attach, b, 0)
        step(attach, a, MULTI)
        step(attach, a, OVERRIDE)
        step(detach, 0, 12)  # such are ended whatever the program
        step(attach, a, OVERRIDE | MULTI)
        step(attach, a, 1 << 10)
        step(attach, other_kind, MULTI)
        step(attach, directory, MULTI)
        step(attach, 99, MULTI)
        step(attach, a, MULTI)
        step(attach, a, MULTI)
        step(attach, b, MULTI)
        step(attach, c, MULTI | REPLACE, a)
        step(attach, a, MULTI | REPLACE, a)
        step(attach, a, REPLACE, b)
        step(query, 1)
        step(query, 8, 2)
        step(detach, 0)
        step(detach, a)
        step(detach, b)
        step(detach, c)
        step(detach, c)
        return said


def inherited_attachments(base, name):
    """What a program in a cgroup lets those below it have, and which of them are in effect there."""
    with cgroups(base, name, "a", "a/b", "c") as own, contextlib.ExitStack() as stack:
        places = {path: os.open(own / path, os.O_RDONLY | os.O_DIRECTORY) for path in (".", "a", "a/b", "c")}
        programs = [load(CGROUP_DEVICE) for _ in range(4)]
        for opened in (*places.values(), *programs):
            stack.callback(os.close, opened)
        names = {number(program): "pqrs"[i] for i, program in enumerate(programs)}
        said = []

        def look(place, effective, room=8):
            seen = ending(query, places[place], room, effective)
            return seen if isinstance(seen, str) else (*seen[:2], "".join(names[part] for part in seen[2]))

        for function, place, program, flags in (
                (attach, ".", 0, 0), (attach, "a", 1, 0), (attach, "a/b", 1, MULTI), (detach, ".", 0, 0),
                (attach, ".", 0, OVERRIDE), (attach, "a", 1, 0), (attach, "a/b", 2, 0), (detach, "a", 1, 0),
                (attach, "a", 1, MULTI), (attach, "a", 2, MULTI), (attach, "a/b", 3, 0),
                (attach, "a/b", 2, MULTI), (attach, "c", 1, MULTI), (detach, "a", 1, 0), (detach, "a", 2, 0),
                (detach, "a/b", 3, 0), (attach, "a/b", 3, OVERRIDE | MULTI)):
            options = (flags,) if function is attach else ()
            said.append((function.__name__, place,
                         ending(function, places[place], programs[program], *options),
                         [(look(each, False), look(each, True)) for each in places], look("a/b", True, 1)))
        return said


# --- clone3(2) ---

def start_in(path):
    """A child that clone3 starts in this directory's cgroup: its 0::PATH, or the errno."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    arguments = struct.pack("<11Q", CLONE_INTO_CGROUP, 0, 0, 0, 17, 0, 0, 0, 0, 0, directory)
    try:
        pid = probes.syscall(SYS_CLONE3, arguments, len(arguments))
    except OSError as error:
        return errno.errorcode[error.errno]
    finally:
        os.close(directory)
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    return "started"


# --- events ---

def told_of_change(base, name):
    """What cgroup.events says after each of its changes, of which inotify and poll must tell first."""
    with cgroups(base, name) as own, subprocess.Popen(["sleep", "1000"]) as other, \
            open(own / "cgroup.events", encoding="ascii") as polled:
        watch = probes.syscall(294, IN_NONBLOCK)  # inotify_init1
        probes.syscall(254, watch, os.fsencode(own / "cgroup.events"), IN_MODIFY)
        polls = select.poll()
        polls.register(polled, select.POLLPRI)
        said = [polled.read()]

        def change(function, *arguments):
            function(*arguments)
            assert select.select([watch], [], [], 20)[0], "inotify says nothing"
            assert struct.unpack_from("<iI", os.read(watch, 4096))[1] == IN_MODIFY
            assert polls.poll(20000), "poll says nothing"
            polled.seek(0)
            said.append(polled.read())

        try:
            change(move, own, other.pid)
            change(move, own.parent, other.pid)
            change(move, own, other.pid)
            change(other.kill)
        finally:
            other.kill()
        other.wait()
        os.close(watch)
        return said


if __name__ == "__main__":
    print(globals()[sys.argv[1]](*sys.argv[2:]))
