# SPDX-License-Identifier: MIT
"""systemd-oomd in a dry run: what it sees of a cgroup, as oomctl tells it. A D-Bus daemon, and the socket by
which oomd asks systemd what to watch, are the test's own."""

import json
import re
import socket

import pytest

import trees

OOMD = "/lib/systemd/systemd-oomd"
SUBSCRIBE = "io.systemd.ManagedOOM.SubscribeManagedOOMCGroups"
BUS = """<busconfig><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
</policy></busconfig>"""
FILL = "import time; filled = bytearray(b'x' * (64 << 20)); print('filled', flush=True); time.sleep(1000)"

pytestmark = pytest.mark.version(2)


class Oomd:
    """oomd with a /run of its own, told to watch the pressure of one cgroup."""

    def __init__(self, tree, name):
        self.tree = tree
        tree.run("sh", "-c", "mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /run/systemd/oom")
        bus = tree.directory / "bus"
        (tree.directory / "bus.conf").write_text(BUS.format(bus))
        self.bus = tree.start("dbus-daemon", f"--config-file={tree.directory}/bus.conf", "--nofork",
                              log=tree.directory / "bus.log")
        trees.until(bus.exists, "the bus is there")
        self.env = ["env", f"DBUS_SYSTEM_BUS_ADDRESS=unix:path={bus}"]
        with socket.socket(socket.AF_UNIX) as systemd:
            systemd.bind(f"/proc/{tree.pid}/root/run/systemd/io.system.ManagedOOM")
            systemd.listen()
            systemd.settimeout(trees.SECONDS)
            self.pid = tree.start(*self.env, OOMD, "--dry-run", log=tree.directory / "oomd.log")
            self.asks, _ = systemd.accept()
        self._tell(name)

    def _tell(self, name):
        """Answers as systemd does: each message is JSON with a NUL after it."""
        self.asks.settimeout(trees.SECONDS)
        text = b""
        while not text.endswith(b"\0"):
            text += self.asks.recv(4096)
        asked = json.loads(text[:-1])
        assert asked["method"] == SUBSCRIBE and asked["more"]
        watch = {"mode": "kill", "path": name, "property": "ManagedOOMMemoryPressure", "limit": 2576980377}
        answer = {"parameters": {"cgroups": [watch]}, "continues": True}
        self.asks.sendall(json.dumps(answer).encode() + b"\0")

    def watched(self, name):
        """What it tells of the cgroup, by name; None while it has not looked, or is not on the bus."""
        said = self.tree.run(*self.env, "oomctl", "dump", status=None)
        _, found, rest = said.out.partition(f"Path: {name}\n")
        return dict(re.findall(r"^\s+([\w ]+): (.*)$", rest.split("Path:")[0], re.M)) if found else None

    def stop(self):
        assert self.tree.stop(self.pid) == 0
        self.asks.close()
        self.tree.stop(self.bus)


def mebibytes(text):
    return float(text.removesuffix("M"))


def test_watched_cgroup(tree):
    name = f"/{tree.unique}/a"
    tree.make_cgroup(name[1:], ())
    log = tree.directory / "filled"
    log.touch()
    pid = tree.start("sh", "-c", f'echo $$ >{trees.STANDARD}{name}/cgroup.procs; exec python3 -c "$1"', "sh",
                     FILL, log=log)
    trees.until(lambda: log.read_text() == "filled\n", "the memory is filled")
    oomd = Oomd(tree, name)
    seen = trees.until(lambda: (said := oomd.watched(name)) and
                       mebibytes(said["Current Memory Usage"]) > 64 and said, "oomd has looked")
    usage = int(tree.read("", name, "memory.current")) / (1 << 20)
    assert mebibytes(seen["Current Memory Usage"]) == pytest.approx(usage, rel=0.1)
    assert seen["Memory Pressure Limit"] == "60.00%"
    assert seen["Pressure"].startswith("Avg10: 0.00 Avg60: 0.00 Avg300: 0.00")
    oomd.stop()
    tree.stop(pid)
    tree.remove_cgroup(name[1:])
