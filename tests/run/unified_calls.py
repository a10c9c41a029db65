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
LOAD, ATTACH, DETACH, QUERY, LINK_CREATE, LINK_UPDATE, LINK_DETACH = 5, 8, 9, 16, 28, 29, 34
CGROUP_SKB, CGROUP_DEVICE = 8, 15  # kinds of programs
DEVICE = 6  # BPF_CGROUP_DEVICE
OVERRIDE, MULTI, REPLACE, BEFORE, AFTER, BY_NUMBER, PREORDER, BY_LINK = 1, 2, 4, 8, 16, 32, 64, 1 << 13
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


def attach(directory, program, flags, replaced=0, beside=0, revision=0):
    given = struct.pack("<IIIIIIQ", directory, program, DEVICE, flags, replaced, beside, revision)
    return bpf(ATTACH, given)[0]


def detach(directory, program, size=32, flags=0, beside=0, revision=0):
    given = struct.pack("<IIIIIIQ", directory, program, DEVICE, flags, 0, beside, revision)
    return bpf(DETACH, given[:size])[0]


def link(directory, program, flags=0, beside=0, revision=0, kind=DEVICE):
    given = struct.pack("<IIIIIIQ", program, directory, kind, flags, beside, 0, revision)
    return bpf(LINK_CREATE, given)[0]


def update_link(number_of_link, program, flags=0, replaced=0):
    return bpf(LINK_UPDATE, struct.pack("<IIII", number_of_link, program, flags, replaced))[0]


def detach_link(number_of_link):
    return bpf(LINK_DETACH, struct.pack("<I", number_of_link))[0]


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


def query_all(directory, flags=0, room=8, each=False):
    """(flags, count, revision, the programs' numbers, what flags each has)."""
    numbers, of_each = (ctypes.c_uint32 * 8)(), (ctypes.c_uint32 * 8)()
    given = struct.pack("<IIIIQIIQQQQ", directory, DEVICE, flags, 0, ctypes.addressof(numbers), room, 0,
                        ctypes.addressof(of_each) if each else 0, 0, 0, 0)
    _, said = bpf(QUERY, given)
    _, _, _, flags, _, count, _, _, _, _, revision = struct.unpack("<IIIIQIIQQQQ", said)
    return flags, count, revision, [part for part in numbers if part], list(of_each)


class Ordered:
    """A cgroup and one below, five programs for devices (a to e) and one of another kind."""

    def __init__(self, own, stack):
        self.own, self.below = (os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in (own, own / "below"))
        self.programs = {name: load(CGROUP_SKB if name == "other" else CGROUP_DEVICE)
                         for name in ("a", "b", "c", "d", "e", "other")}
        for opened in (self.own, self.below, *self.programs.values()):
            stack.callback(os.close, opened)
        self.numbers = {name: number(program) for name, program in self.programs.items()}
        self.programs["itself"] = self.own
        self.said = []

    def look(self, directory, *arguments):
        seen = ending(query_all, directory, *arguments)
        if isinstance(seen, str):
            return seen
        names = {each: name for name, each in self.numbers.items()}
        return (*seen[:3], "".join(names[part] for part in seen[3]), seen[4])

    def step(self, function, *arguments):
        """Where a name is given, its program is meant. What it ended with, None of a descriptor."""
        end = ending(function, *(self.programs.get(part, part) for part in arguments))
        self.said.append((function.__name__, arguments[1:], "ok" if isinstance(end, int) and end > 0 else end,
                          self.look(self.own, 0, 8, True), self.look(self.below, 1)))
        return end


def ordered_attachments(base, name):
    """Programs before and after others, and of lists that are as they were."""
    with cgroups(base, name, "below") as own, contextlib.ExitStack() as stack:
        place = Ordered(own, stack)
        own, step, numbers = place.own, place.step, place.numbers
        for function, *arguments in (
                (attach, "a", MULTI | BEFORE), (attach, "b", MULTI | BEFORE), (attach, "c", MULTI | AFTER),
                (attach, "d", MULTI | BEFORE, 0, "a"), (attach, "d", MULTI | REPLACE, "d"),
                (attach, "e", MULTI, 0, 0, 99), (attach, "e", MULTI, 0, 0, 6),
                (detach, "e", 32, 0, 0, 6), (detach, "e", 32, 0, 0, 7), (detach, "e"),
                (attach, "e", MULTI | BEFORE | AFTER), (attach, "e", MULTI | BEFORE | AFTER, 0, "a"),
                (attach, "e", MULTI, 0, "a"), (attach, "e", MULTI | BEFORE, 0, "e"),
                (attach, "e", MULTI | BEFORE, 0, "other"), (attach, "e", MULTI | BEFORE, 0, 99),
                (attach, "e", MULTI | BEFORE, 0, "itself"), (attach, "e", MULTI | BEFORE | BY_LINK, 0, "a"),
                (attach, "e", MULTI | BEFORE | BY_LINK), (attach, "e", MULTI | REPLACE | BEFORE, "a"),
                (attach, "e", MULTI | REPLACE, "a", "b"), (attach, "e", MULTI | REPLACE, "a"),
                (attach, "e", MULTI | PREORDER), (attach, "a", MULTI | PREORDER),
                (attach, "a", MULTI | PREORDER | BEFORE, 0, "b"), (detach, "a"),
                (attach, "a", MULTI | PREORDER | BEFORE, 0, "b"), (attach, "a", MULTI | PREORDER | BEFORE),
                (detach, "b", 32, MULTI), (detach, "b", 32, 0, "a"), (detach, "b", 32, BY_NUMBER),
                (detach, 99), (attach, "b", MULTI, 99), (detach, "b"), (attach, "b", MULTI | 1 << 7),
                (attach, "b", MULTI | 1 << 14), (attach, "b", REPLACE, 99),
                *((detach, each) for each in "abcde"), (attach, "a", BEFORE | AFTER), (attach, "b", 0),
                (attach, "c", BEFORE), (attach, "c", BEFORE, 0, "b"), (detach, 0),
                (attach, "a", OVERRIDE | AFTER), (attach, "b", OVERRIDE | PREORDER), (detach, 0),
                (attach, "a", MULTI | AFTER, 0, "a"), (attach, "a", MULTI)):
            step(function, own, *arguments)
        for flags, beside in ((AFTER, "a"), (0, "a"), (BEFORE, "other"), (BEFORE, "")):
            options = (MULTI | BY_NUMBER | flags, 0, numbers.get(beside, 0))
            end = ending(attach, own, place.programs["b"], *options)
            place.said.append((end, place.look(own)))
        for arguments in ((0, 1), (0, 1, True), (1, 8, True)):
            place.said.append(place.look(own, *arguments))
        return place.said


def linked_attachments(base, name):
    """Programs that a descriptor holds in their cgroup."""
    with cgroups(base, name, "below") as own, contextlib.ExitStack() as stack:
        path, place = own, Ordered(own, stack)
        own, step = place.own, place.step
        first, again = step(link, own, "a"), step(link, own, "a")
        for arguments in (("a", MULTI), ("b", MULTI), ("b", OVERRIDE)):
            step(attach, own, *arguments)
        step(link, own, "c", BEFORE, "b")
        before = ending(link, own, place.programs["d"], BEFORE | BY_LINK, first)
        place.said.append((before > 0, place.look(own)))
        step(attach, own, "d", MULTI | BEFORE, 0, "a")
        for arguments in (("d", MULTI), ("d", OVERRIDE), ("d", REPLACE), ("d", 0, 0, 1), (99,), ("other",),
                          ("a", 0, 0, 0, 0)):
            step(link, own, *arguments)
        step(link, 99, "a")
        for arguments in (("c",), ("a", REPLACE, "b"), ("a", REPLACE, "c"), ("a", 0, "c"), ("a", 1),
                          ("other",)):
            arguments = (place.programs.get(each, each) for each in arguments)
            place.said.append((ending(update_link, first, *arguments), place.look(own)))
        for each in ("a", "b", "b"):
            step(detach, own, each)
        for end in (ending(detach_link, first), ending(detach_link, first),
                    ending(update_link, first, place.programs["a"])):
            place.said.append((end, place.look(own)))
        copy = os.dup(again)
        for each in (again, copy, before):
            os.close(each)
            place.said.append(place.look(own))
        last = link(place.below, place.programs["e"])
        (path / "below").rmdir()
        assert wait_until(lambda: ending(update_link, last, place.programs["a"]) == "ENOLINK")
        place.said.append(ending(detach_link, last))
        os.close(first)
        os.close(last)
        return place.said


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
