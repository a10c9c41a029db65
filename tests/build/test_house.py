# SPDX-License-Identifier: MIT
"""Accounting's rooms call downwards only."""

import re

import pytest

import objects
from objects import SOURCES

HOUSE = SOURCES / "accounting"

# From the top down: a room knows itself and those below it.
ROOMS = ("questions", "sources", "reading", "ledger", "table")
# What a room does without: these have what is outside told to them. Names begin so.
UNKNOWN = {"ledger": ("machine_", "patient_"), "table": ("machine_", "patient_", "clock_")}
FILE_LINES, HEADER_LINES = 350, 200

# Who looks into each part of a process (table/parts.h), besides those who keep it for the next daemon.
# Names may be taken off: the fewer, the less there is to know.
PARTS = {
    "counted": "ledger/count.c ledger/end.c ledger/fork.c ledger/reap.c reading/reading_list.c",
    "io": "ledger/count.c ledger/end.c ledger/fork.c ledger/io.c questions/usage.c reading/reading_list.c",
    "reaped": "ledger/count.c ledger/family.c ledger/reap.c reading/settle.c sources/creator.c",
    "memory": "ledger/charge.c ledger/count.c ledger/memory.c reading/measure.c reading/reading_list.c",
    "sharing": "ledger/memory.c ledger/sharing.c",
    "high_water": "ledger/high_water.c",
    "read": "ledger/count.c ledger/end.c ledger/reap.c reading/measure.c reading/reading_list.c",
    "origin": "ledger/count.c ledger/fork.c reading/reading_list.c sources/creator.c sources/newcomer.c",
    "orphan": "ledger/count.c reading/liveness.c table/process.c",
    "kept": "ledger/end.c table/process.c",
    "unsaved": "table/unsaved.c",
}
KEEPERS = "questions/export.c questions/import.c"
# What a process is called where it is used.
PROCESS = "process|parent|child|reaper|found|nearest|holder|head|by|kept|orphans"


def room_of(path):
    return ROOMS.index(path.relative_to(HOUSE).parts[0])


def files():
    return sorted(HOUSE.glob("**/*.[ch]"))


def included(path):
    """Files of the house that this one includes by name."""
    for name in re.findall(r'^#\s*include "([^"]+)"', path.read_text(encoding="utf-8"), re.M):
        target = (path.parent / name).resolve()
        if target.exists():
            yield target


@pytest.fixture(name="names", scope="module")
def fixture_names():
    return objects.read(HOUSE)


@pytest.fixture(name="calls", scope="module")
def fixture_calls(names):
    return objects.calls(names)


def shown(path):
    return str(path.relative_to(HOUSE))


def test_every_file_is_in_a_room():
    assert files()
    assert [shown(path) for path in files() if path.relative_to(HOUSE).parts[0] not in ROOMS] == []


def test_no_file_is_large():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files()}
    assert [(shown(path), count) for path, count in lines.items()
            if count > (HEADER_LINES if path.suffix == ".h" else FILE_LINES)] == []


def test_includes_lead_downwards():
    assert [(shown(path), shown(target)) for path in files() for target in included(path)
            if room_of(target) < room_of(path)] == []


def test_the_house_has_one_door():
    """Other parts of the program know its header in include/ only."""
    others = [path for path in SOURCES.glob("**/*.[ch]") if HOUSE not in path.parents]
    assert [str(path) for path in others if any(HOUSE in target.parents for target in included(path))] == []


def test_calls_lead_downwards(calls):
    assert [(shown(source), shown(target), name) for source, targets in calls.items()
            for target, name in targets.items() if room_of(target) < room_of(source)] == []


def test_lower_rooms_look_at_nothing(names):
    assert [(shown(source), name) for source, (_, taken) in names.items() for name in taken
            if name.startswith(UNKNOWN.get(ROOMS[room_of(source)], ()) or ("\n",))] == []


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_process_has_its_owners(part):
    use = re.compile(rf"\b(?:{PROCESS})->{part}\b")
    users = {shown(path) for path in files() if use.search(path.read_text(encoding="utf-8"))}
    assert users - set(KEEPERS.split()) == set(PARTS[part].split())


def test_every_part_of_a_process_is_named():
    header = (HOUSE / "table/process.h").read_text(encoding="utf-8")
    struct = re.search(r"^struct process {(.*?)^}", header, re.M | re.S)[1]
    assert set(re.findall(r"^\tstruct \w+ (\w+);", struct, re.M)) == set(PARTS)
