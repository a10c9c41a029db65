# SPDX-License-Identifier: MIT
"""Random owners, users and cgroup namespaces where controllers come and go; as chance.py."""
import os

import stage as stages
from chance import Program, chmod, chown, enabled, walks
from stage import attempt, become, scenario

LIMITS = {"cpu.max": ("max", "50000"), "cpu.weight": ("50", "0"), "memory.high": ("1G", "max"),
          "pids.max": ("5", "max"), "cgroup.max.depth": ("3", "max"), "cgroup.freeze": ("0", "0"),
          "cgroup.pressure": ("0", "1"),
          "memory.oom.group": ("0", "1"), "memory.reclaim": ("0", "0"), "cgroup.kill": ("0", "2"),
          "io.weight": ("50", "default 7"), "cgroup.type": ("domain", "x"),
          "memory.zswap.writeback": ("0", "1"),
          "memory.min": ("0", "4096")}
OWNED = ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.freeze", "cpu.max", "memory.max",
         "memory.oom.group", "pids.max", "io.weight", "cpu.pressure")


def by_hand(move):
    """The move, by root, a user, or somebody in a cgroup namespace."""
    def made(self):
        who = self.random.choice((None, *self.hands))
        self.hand = self.hands.get(who)
        step = move(self)
        self.hand = None
        return step and (f"{who or 'root'}: {step[0]}", step[1])
    return made


def control(self):
    words = [self.random.choice("++-") + self.random.choice(("cpu", "memory", "pids", "io"))
             for _ in range(self.random.choice((1, 2)))]
    return self.write(self.place(), "cgroup.subtree_control", " ".join(words))


def limit(self):
    return self.setting(LIMITS)


def chown_any(self):
    place, user = self.place(), self.random.choice((0, 1000, 1000, 1001))
    name = self.random.choice(OWNED)
    answer = attempt(os.chown, self.st.path(place) + "/" + name, user, user)
    return f"chown {user} {place or '.'}/{name}", answer


@scenario("full")
def chance_delegated(st):
    """Whose files are whose where controllers come and go, and who may write what."""
    def prepare(program):
        enabled(("cpu", "memory", "pids", "io"))(program)
        program.hands = {str(user): st.actor() for user in (1000, 1001)}
        for user, hand in program.hands.items():
            hand.call(become, int(user))
            program.idle.add(hand.name)
    walks(st, [f"owner of {each}" for each in OWNED] + ["cgroup.controllers", "cgroup.subtree_control"],
          {chown: 5, chown_any: 5, by_hand(Program.mkdir): 5, by_hand(Program.rmdir): 2, by_hand(control): 12,
           by_hand(limit): 12, chmod: 1}, prepare)


@scenario("root")
def chance_namespaces(st):
    """nsdelegate: what may be done from within a namespace."""
    def remount(options):
        return stages.LIBC.mount(b"none", st.root.encode(), b"cgroup2", 32, options)

    def prepare(program):
        remount(b"nsdelegate")
        program.hands = {}
        for place in "a", "b", "a/a":
            st.make(place)
            hand = program.hands[f"at {place}"] = st.actor()
            st.move(hand, place)
            hand.call(stages.new_cgroup_namespace)
            stages.write(st.root + "/cgroup.procs", str(hand.pid))
            program.idle.add(hand.name)
        for place in ".", "a", "b", "a/a":
            st.set(place + "/cgroup.subtree_control", "+cpu +memory +pids +io")
    walks(st, ("cgroup.procs", "cgroup.subtree_control", "cgroup.controllers"),
          {Program.start: 3, by_hand(Program.move_process): 12, by_hand(Program.move_thread): 3,
           by_hand(Program.mkdir): 4, by_hand(Program.rmdir): 2, by_hand(control): 8, by_hand(limit): 12},
          prepare)
    remount(None)
