# SPDX-License-Identifier: MIT
"""cgroup.event_control: eventfds of the writer, as the kernel registers them."""

import os

import pytest

from events import Event, register
from files import read, write
from processes import Helper, error_of

MEGABYTE = 1 << 20

# A process that takes as many megabytes as it is told to.
EATER = """
import mmap, sys
for line in sys.stdin:
    size = int(line) << 20
    memory = mmap.mmap(-1, size or 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for offset in range(0, size, 4096):
        memory[offset] = 1
    print("done")
"""


@pytest.fixture
def event():
    event = Event()
    yield event
    event.close()


@pytest.fixture
def memory(mount):
    path = mount / "memory" / "a"
    path.mkdir()
    return path


@pytest.fixture
def eater(memory):
    with Helper(EATER) as process:
        write(memory / "cgroup.procs", str(process.pid))
        assert process.ask("1") == "done"
        yield process


def usage(memory):
    return int(read(memory / "memory.usage_in_bytes"))


def test_threshold(memory, eater, event):
    """Fires once, at the latest one second after usage has crossed it, up and down."""
    second = 3  # as long as a busy machine takes for it
    register(memory, event, "memory.usage_in_bytes", usage(memory) + 40 * MEGABYTE)
    assert event.fires_within(1.5) == 0, "nothing was crossed"
    assert eater.ask("100") == "done"
    assert event.fires_within(second) == 1
    assert event.fires_within(1.5) == 0, "once for each crossing"
    assert eater.ask("0") == "done"
    assert event.fires_within(second) == 1


def test_thresholds_of_one_cgroup(memory, eater, event):
    """Each eventfd hears of its own threshold only."""
    other = Event()
    register(memory, event, "memory.usage_in_bytes", usage(memory) + 40 * MEGABYTE)
    register(memory, other, "memory.usage_in_bytes", usage(memory) + 4000 * MEGABYTE)
    assert eater.ask("100") == "done"
    assert event.fires_within() >= 1
    assert other.fires_within(0.5) == 0
    other.close()


def test_threshold_after_the_watched_file_was_closed_and_the_event_too(memory, eater):
    """A registration whose eventfd is gone is nobody's; the daemon lives on."""
    gone, other = Event(), Event()
    for event in (gone, other):
        register(memory, event, "memory.usage_in_bytes", usage(memory) + 40 * MEGABYTE)
    gone.close()
    assert eater.ask("100") == "done"
    assert other.fires_within() >= 1
    assert usage(memory) > 100 * MEGABYTE
    other.close()


def test_oom_control(memory, event):
    assert register(memory, event, "memory.oom_control") > 0
    assert event.fires_within(0.3) == 0
    assert read(memory / "memory.oom_control").startswith("oom_kill_disable 0\nunder_oom 0\n")


@pytest.mark.parametrize("level", ["low", "medium", "critical", "low,hierarchy", "medium,local"])
def test_pressure_level(memory, event, level):
    assert register(memory, event, "memory.pressure_level", level) > 0
    for wrong in (level + "x", level + " none", "x" + level):
        assert error_of(register, memory, event, "memory.pressure_level", wrong) == "EINVAL"
    assert error_of(read, memory / "memory.pressure_level") == "EINVAL"  # it has only events


@pytest.mark.parametrize("level", ["", "none", "low,none", "LOW"])
def test_bad_pressure_level(memory, event, level):
    assert error_of(register, memory, event, "memory.pressure_level", level) == "EINVAL"


@pytest.mark.parametrize("value", ["abc", "1Q", "1 2"])
def test_bad_threshold(memory, event, value):
    assert error_of(register, memory, event, "memory.usage_in_bytes", value) == "EINVAL"


def test_threshold_with_a_suffix(memory, eater, event):
    other = Event()
    for one, value in ((event, f"{usage(memory) // MEGABYTE + 40}M"), (other, "1G")):
        assert register(memory, one, "memory.usage_in_bytes", value) > 0
    assert eater.ask("100") == "done"
    assert event.fires_within() >= 1
    assert other.fires_within(0) == 0
    other.close()


@pytest.mark.parametrize("file", ["memory.limit_in_bytes", "memory.stat", "cgroup.procs"])
def test_files_without_events(memory, event, file):
    assert error_of(register, memory, event, file, "1M") == "EINVAL"


def test_bad_descriptors(memory, mount, event):
    control = memory / "cgroup.event_control"
    reader, writer = os.pipe()
    assert error_of(register, memory, event, "memory.usage_in_bytes", "1M", reader) == "EINVAL"
    assert error_of(register, memory, event, "memory.usage_in_bytes", "1M", 999) == "EBADF"
    assert error_of(write, control, f"{event.fd} 999 1M") == "EBADF"
    assert error_of(write, control, f"{event.fd} {reader} 1M") == "EINVAL", "not a cgroup file"
    assert error_of(write, control, "abc") == "EINVAL"
    assert error_of(write, control, f"{event.fd}") == "EINVAL"
    os.close(reader)
    os.close(writer)


def test_file_of_another_cgroup(memory, event):
    (memory.parent / "b").mkdir()
    other = os.open(memory.parent / "b" / "memory.usage_in_bytes", os.O_RDONLY)
    try:
        control = memory / "cgroup.event_control"
        assert error_of(write, control, f"{event.fd} {other} 1M") == "EINVAL"
    finally:
        os.close(other)


def test_rmdir_tells(memory, event):
    """Whoever waits for events of a cgroup hears that it has gone."""
    register(memory, event, "memory.usage_in_bytes", "4000M")
    register(memory, event, "memory.oom_control")
    memory.rmdir()
    assert event.fires_within() >= 1
