# SPDX-License-Identifier: MIT
"""What may be written to cgroup.procs and tasks, and which process it means."""
import os

from harness import ops
from harness.actor import in_thread
from harness.cast import FILES, Cast, ready
from harness.registry import scenario

INPUTS = [
    "{p}", "{p}\n", " {p}", "{p} ", "\t{p}\n\n", "\n{p}", "0x{p:x}", "0X{p:X}", "0{p:o}", "+{p}",
    "-{p}",
    "{p}\0", "{p}\0x", "{p}x", "{p}K", "{p}.0", "{p} {q}", "{p}\n{q}\n", "{p},{q}", "{p}-{q}", "0",
    "0\n",
    " 0 ", "-0", "+0", "0x0", "00", "-1", "-2", "", "\n", " ", "\t", "\0", "max", "abc", "self",
    "4194305",
    "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967296", "9223372036854775807",
    "18446744073709551616", "9" * \
        30, "{t}", "{t}\n", "{other}", "0x", "--1", "+", "-", "+ 5000000", "1e3",
    "{p:>4095}", "{p:>4096}", "{p:>4097}", "{p:0>30}x", "\u00bd",
]


@scenario()
def attach_grammar(stage):
    """At least 50 inputs for cgroup.procs and for tasks; the writer is a process w of our own."""
    cast = Cast(stage)
    writer, p, q = cast.process("w"), cast.process("p"), cast.process("q")
    thread = cast.thread(p, "p.t")
    mine = cast.thread(writer, "w.t")
    child = ready(stage, stage.cgroup())
    for file in FILES:
        for text in INPUTS:
            data = text.format(p=p.pid, q=q.pid, t=thread, other=mine).encode("latin-1")
            answer = writer.call(ops.write, os.path.join(child, file), data)
            stage.note(f"{file} < {ascii(text)}", f"{answer} {cast.both(child)}")
            cast.empty(child)
        stage.note(f"{file} < 0 from a thread", "{} {}".format(
            writer.call(in_thread, ops.write, os.path.join(child, file), b"0"), cast.both(child)))
        cast.empty(child)
