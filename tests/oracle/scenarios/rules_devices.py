# SPDX-License-Identifier: MIT
"""Allow and deny: effects, bounds by the parent, propagation to children."""
import os
import random

from harness import ops
from harness.registry import scenario
from harness.tree import Tree
from scenarios.inputs import SPECIAL


def _rule(choice):
    kind = choice.choice("a" + "b" * 10 + "c" * 14)
    if kind == "a":
        return "a"
    major = choice.choice(["*", "1", "5", "7", "10"])
    minor = choice.choice(["*", "0", "1", "3"])
    return f"{kind} {major}:{minor} {choice.choice(['r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm'])}"


def _random_devices(stage, seed, start):
    """Random allow and deny on three levels; every list that changed after every write."""
    choice = random.Random(seed)
    tree = Tree(stage, "devices.")
    for file, rule in start:
        stage.note(f"start {file} {rule}", ops.write(tree.path(".", file), rule.encode()))
    names = ".", "a", "b", "a/x", "a/y", "b/z"
    for name in names[1:]:
        os.mkdir(tree.path(name))
    shown = {}
    for number in range(300):
        name, file, rule = choice.choice(names), choice.choice(("allow", "deny")), _rule(choice)
        answer = ops.write(tree.path(name, file), rule.encode())
        for each in names:
            text = ops.read_raw(tree.path(each, "list")).decode()
            if shown.get(each) != text:
                shown[each] = text
                answer += f"; {each}: " + ", ".join(text.splitlines())
        stage.note(f"{number} {name} {file} {rule}", answer)


@scenario("devices")
def rules_devices_random_allowed(stage):
    _random_devices(stage, 1, [])


@scenario("devices")
def rules_devices_random_denied(stage):
    _random_devices(stage, 2, [("deny", "a")] + [
        ("allow", rule) for rule in ("c 1:* rwm", "b *:* rm", "c 5:0 rw", "c *:3 w", "c 7:1 rwm")])


@scenario("devices")
def rules_devices_random_half(stage):
    _random_devices(stage, 3, [("deny", "a"), ("allow", "c *:* rwm"), ("allow", "b *:* rwm")])


@scenario("devices")
def rules_devices_effect(stage):
    """Each form of a rule against a cgroup that denies all, and one that allows all."""
    tree = Tree(stage, "devices.")
    for file, reset in (("allow", "deny"), ("deny", "allow")):
        for rule in SPECIAL["devices.allow"]:
            ops.write(tree.path(".", reset), b"a")
            answer = ops.write(tree.path(".", file), rule.encode())
            stage.note(f"{file} {rule!r}", f"{answer} {ops.read(tree.path('.', 'list'))}")


@scenario("devices")
def rules_devices_nesting(stage):
    """A parent's rules bound a child's, as each step of a sequence shows."""
    tree = Tree(stage, "devices.")
    tree.mkdir("a")
    lists = [("a", "list"), (".", "list")]

    def step(name, file, rule):
        answer = ops.write(tree.path(name, file), rule.encode())
        stage.note(f"{name} {file} {rule}", " ".join(
            [answer] + [ops.read(tree.path(*each)) for each in lists]))

    for name, file, rule in (
            (".", "deny", "c 1:3 w"), ("a", "allow", "c 1:3 rwm"), ("a", "allow", "c 1:3 r"),
            (".", "allow", "c 1:3 w"), ("a", "allow", "c 1:3 w"), ("a", "allow", "a"),
            ("a", "deny", "a"), ("a", "allow", "c 1:3 r"), ("a", "allow", "c *:* r"),
            (".", "deny", "a"), ("a", "deny", "a"), ("a", "allow", "c 5:0 r"),
            (".", "allow", "c 1:3 rwm"), ("a", "allow", "c 1:3 rwm"), ("a", "allow", "c 1:* r"),
            (".", "allow", "c 1:* r"), ("a", "allow", "c 1:* r"), ("a", "allow", "c 1:5 r"),
            (".", "deny", "c 1:3 m"), (".", "deny", "c 1:* r"), (".", "allow", "a"),
            ("a", "allow", "a"), (".", "deny", "b *:* rwm"), ("a", "deny", "c *:* m")):
        step(name, file, rule)
    tree.mkdir("a/x")
    tree.read("a/x", "list")
    step(".", "deny", "a")
    tree.read("a/x", "list")
