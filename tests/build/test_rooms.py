# SPDX-License-Identifier: MIT
"""The rooms of the source call downwards only, and no files know each other in a circle."""

import pytest

import objects
from objects import SOURCES

# Each room, and those whose functions it may call.
ROOMS = {
    "daemon": "state controllers core accounting native machine base",
    "state": "core accounting base",
    "controllers": "core accounting machine base",
    "core": "accounting native machine base",
    "accounting": "native machine base",
    "run": "machine base",
    "native": "base",
    "machine": "base",
    "cni": "base",
    "base": "",
}


def room_of(path):
    return path.relative_to(SOURCES).parts[0]


def shown(path):
    return str(path.relative_to(SOURCES))


@pytest.fixture(name="calls", scope="module")
def fixture_calls():
    """But for a controller itself, which is what the state of its cgroups is found by."""
    found = objects.read(SOURCES)
    return objects.calls({source: (defined, {name for name in taken if not name.endswith("_controller")})
                          for source, (defined, taken) in found.items()})


def test_every_file_is_in_a_room():
    files = [*SOURCES.glob("**/*.[ch]")]
    assert files and {room_of(path) for path in files} == set(ROOMS)


def test_rooms_call_downwards(calls):
    assert [(shown(source), name, shown(target)) for source, targets in calls.items()
            for target, name in targets.items()
            if room_of(target) not in (room_of(source), *ROOMS[room_of(source)].split())] == []


def test_no_files_call_in_a_circle(calls):
    circle = objects.find_circle(calls)
    assert [(shown(source), calls[source][target], shown(target))
            for source, target in zip(circle, circle[1:])] == []
