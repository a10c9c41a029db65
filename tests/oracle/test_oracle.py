# SPDX-License-Identifier: MIT
"""Our tree answers like the kernel's cgroup v1: see README.md here."""
import pytest

import scenarios  # noqa: F401  registers them
from harness import kernel, recording
from harness.exceptions import EXCEPTIONS
from harness.machine import MACHINE
from harness.registry import SCENARIOS
from harness.runner import all_plays

PLAYS = all_plays()
IDS = [f"{hierarchy}-{name}" for hierarchy, name in PLAYS]
SHOWN = 40


def differences(wanted, got):
    """[(step, wanted, got)] of two {step: answer}."""
    missing = "(no such step)"
    steps = list(dict.fromkeys([*wanted, *got]))
    return [(step, wanted.get(step, missing), got.get(step, missing))
            for step in steps if wanted.get(step) != got.get(step)]


def report(hierarchy, name, found, who="kernel", whose="ours"):
    lines = [f"{hierarchy}: {name}: {len(found)} of its answers differ"]
    for step, wanted, got in found[:SHOWN]:
        lines += [f"  {step}", f"    {who:9} {wanted}", f"    {whose:9} {got}"]
    if len(found) > SHOWN:
        lines.append(f"  ... and {len(found) - SHOWN} more")
    return "\n".join(lines)


def depends_on(name):
    """A fact of the machine that this scenario's recording depends on and that differs here."""
    facts, here = recording.facts(), MACHINE.facts()
    return next((f"{need} {here[need]!r}, recorded with {facts[need]!r}"
                 for need in SCENARIOS[name].needs if here[need] != facts[need]), None)


def settled(result, hierarchy, name):
    """The answers of a result; fails when the scenario itself broke down."""
    if "error" in result:
        pytest.fail(f"{hierarchy}: {name} broke down\n{result['error']}", pytrace=False)
    if "missing" in result:
        pytest.fail(result["missing"], pytrace=False)
    return result["answers"]


@pytest.mark.parametrize("play", PLAYS, ids=IDS)
def test_like_the_kernel(play, answers):
    hierarchy, name = play
    if answers.kernel and "missing" not in answers.kernel[play]:
        wanted = settled(answers.kernel[play], hierarchy, name)
    else:
        if difference := depends_on(name):
            pytest.skip(f"no live cgroup v1 here, and this machine has {difference}")
        wanted = recording.load(name)[hierarchy]
    ours = answers.ours[play]
    got = ours.get("answers", {})
    found = [each for each in differences(wanted, got)
             if not EXCEPTIONS.excuse(hierarchy, name, each[0])]
    if found:
        text = report(hierarchy, name, found)
        if "error" in ours:
            text += f"\n\nand it broke down on ours:\n{ours['error']}"
        pytest.fail(text, pytrace=False)
    settled(ours, hierarchy, name)


@pytest.mark.parametrize("play", PLAYS, ids=IDS)
def test_recording_is_true(play, answers):
    """The recorded copy says what the live kernel says, so that it cannot rot."""
    hierarchy, name = play
    if answers.kernel is None:
        pytest.skip(kernel.comparable()[1])
    if "missing" in answers.kernel[play]:
        pytest.skip(f"this kernel: {answers.kernel[play]['missing']}")
    if difference := depends_on(name):
        pytest.skip(f"this machine has {difference}")
    live = settled(answers.kernel[play], hierarchy, name)
    found = differences(recording.load(name).get(hierarchy, {}), live)
    if found:
        pytest.fail(report(hierarchy, name, found, "recorded", "live"), pytrace=False)


def test_exceptions_are_alive(request, answers):
    """Runs last; only a full run can tell that an exception is needed no more."""
    ran = {item.callspec.params["play"] for item in request.session.items
           if item.name.startswith("test_like_the_kernel")}
    if len(ran) < len(PLAYS):
        pytest.skip("needs a run of all scenarios")
    if answers.kernel is None and any(depends_on(name) for name in SCENARIOS):
        pytest.skip("not all scenarios could be compared on this machine")
    assert not EXCEPTIONS.dead(), "no difference needs these lines of the file exceptions any more"
