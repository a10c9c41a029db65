# SPDX-License-Identifier: MIT
"""Runs one of the node's scripts where the kernel's cgroups have been taken away."""

import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

import trees

SYSCTLS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
           "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes", "net/ipv4/conf/all/forwarding",
           "net/ipv4/conf/default/forwarding")


def own_directory(name):
    """A new one for a node, whose orphans come to us. The test is skipped where no node can run."""
    if trees.why_not():
        pytest.skip(trees.why_not())
    trees.become_reaper()
    directory = pathlib.Path(f"/tmp/fcg-{name}-{os.getpid()}")  # sockets want short names
    directory.mkdir()
    return directory


LOGS = ("/dev/kmsg", "/var/log/containers", "/var/log/pods")
# The machine below an overlay, which keeps whatever is written; but for its /sys, /dev and the test's own.
OVERLAY = f"""set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
for each in /proc /sys /dev {trees.ROOT} "$DIRECTORY"; do mount --rbind "$each" "/mnt/root$each"; done
mount --bind /mnt /mnt/root/mnt
cd /mnt/root
pivot_root . .
umount -l .
cd /
set +e
"""
# The same without a kernel's log and without cgroups, and where nobody has a network for pods.
BARE = f"""{OVERLAY}{trees.TAKE_AWAY}
mount -t tmpfs -o mode=755 tmpfs /mnt
cp -ax /dev/. /mnt
rm /mnt/kmsg
for each in /dev/*; do ! mountpoint -q "$each" || mount --rbind "$each" "/mnt/${{each#/dev/}}"; done
mount --move /mnt /dev
[ ! -d /etc/cni ] || mount -t tmpfs tmpfs /etc/cni"""
# Runs the command, and says what has been written to /dev and the overlay meanwhile.
LIST_LEFT = """trap : INT
written() { { ls /dev/kmsg; find /mnt/upper -mindepth 1; } 2>/dev/null | sort; }
written >"$LEFT.before"
"$@"
status=$?
written | comm -13 "$LEFT.before" - >"$LEFT"
exit $status"""

# cAdvisor lists a cgroup before its first housekeeping (createContainerLocked() in manager.go):
# who asks in between, as the summary does and a kubelet that registers, gets this with the kernel's too.
# Who asks before it has heard of the pods' own cgroup, which the kubelet has just made, gets the second
# (kubernetes/minikube#9461, a healthy node).
JUST_FOUND = r'unable to find data in memory cache|unknown container \\?"/kubepods'
# containerd and the kubelet read files of a cgroup that the kubelet or runc has removed: ENODEV of one that
# is open, as of the kernel's.
GONE = ("collecting metrics for .*(no such (device|file)|cgroup deleted)|"
        "failed to read memory cgroup .* for the pod.*no such file")


def pod(name, command, host="true", image="localhost/busybox:static", resources="{}"):
    """The manifest of a static pod, whose container is `busy`."""
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: default}}
spec:
  hostNetwork: {host}
  terminationGracePeriodSeconds: 1
  containers:
  - name: busy
    image: {image}
    imagePullPolicy: Never
    command: {json.dumps(["sh", "-c", command])}
    resources: {resources}
"""


def of_the_machine():
    """What a node might change: settings, and which logs there are."""
    settings = {name: open(f"/proc/sys/{name}", encoding="ascii").read() for name in SYSCTLS
                if os.path.exists(f"/proc/sys/{name}")}
    return {**settings, **{log: os.path.exists(log) for log in LOGS}}


class Node:
    """A running script, in a session of its own like a terminal's."""

    def __init__(self, script, directory, *words, machine=trees.TAKE_AWAY, **environment):
        self.temporary = directory / "tmp"
        self.temporary.mkdir()
        self.log = directory / "script.log"
        self.left = directory / "left"
        self.before = of_the_machine()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["tini", "-s", "-g", "--", *trees.private(
                    machine, "sh", "-c", LIST_LEFT, "sh", trees.ROOT / "scripts" / script, *words)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "TMPDIR": str(self.temporary), "LEFT": str(self.left),
                     "DIRECTORY": str(directory),
                     **environment})

    def text(self):
        return self.log.read_text(errors="replace")

    def left_on_machine(self):
        """What is new: a directory above has only been copied up."""
        return [entry for entry in self.left.read_text().splitlines()
                if not os.path.isdir(entry.removeprefix("/mnt/upper"))]

    def find_all(self, words):
        """The pids of processes with these words in their command lines."""
        return [pid for pid, line in trees.descendants().items() if words in line]

    def find(self, words):
        """The first of them."""
        return next(iter(self.find_all(words)), None)

    def wait(self, alone=True):
        """The script's status; then nothing may be left of it (no process of ours, if it was alone)."""
        status = self.process.wait(trees.SECONDS)
        self.assert_nothing_left(alone)
        return status

    def interrupt(self, alone=True):
        """Ctrl-C: every process of the terminal's group gets the signal."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.wait(alone)

    def assert_nothing_left(self, alone=True):
        left = trees.end_rest() if alone else {}
        assert not left, f"processes left behind: {left}"
        files = list(self.temporary.glob("**/*"))
        assert not files, f"files left behind: {files[:20]}"
        changed = {name: value for name, value in of_the_machine().items() if value != self.before[name]}
        assert not changed, f"settings of the machine that are others now: {changed}"

    def errors(self):
        """Lines of errors in the logs that are about cgroups or cAdvisor."""
        logs = next(self.temporary.glob("kube-node.*")) / "log"
        lines = [line for log in logs.iterdir() if log.is_file() for line in log.read_text().splitlines()]
        return [line for line in lines if re.match("E[0-9]{4} |.*level=error", line)
                and re.search("cgroup|cadvisor", line, re.IGNORECASE)
                and not re.search(f"{JUST_FOUND}|{GONE}", line)]

    def kill(self):
        """The end of a test that failed."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        trees.end_rest()
