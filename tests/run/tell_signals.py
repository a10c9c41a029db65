# SPDX-License-Identifier: MIT
"""Tells of each signal of these names that it gets, on a line of its own, until its input ends."""

import os
import select
import signal
import sys

# By a pipe: a handler of Python's own would wait for the end of a read that had just begun.
reading, writing = os.pipe()
os.set_blocking(writing, False)
signal.set_wakeup_fd(writing)
for name in sys.argv[1:]:
    signal.signal(signal.Signals[f"SIG{name}"], lambda *_: None)
print("ready", flush=True)
while True:
    readable = select.select([0, reading], [], [])[0]
    if reading in readable:
        for number in os.read(reading, 64):
            print(f"got {signal.Signals(number).name[3:]}", flush=True)
    elif not os.read(0, 64):
        break
print("end")
